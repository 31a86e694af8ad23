// SPDX-License-Identifier: Apache-2.0
#include "tests/imds_sim/service.h"

#include "agent/base/text.h"

#include <optional>

namespace hostward::imds_sim {

namespace {

constexpr std::string_view kTtlHeader = "X-aws-ec2-metadata-token-ttl-seconds";
constexpr std::string_view kTokenHeader = "X-aws-ec2-metadata-token";
constexpr std::string_view kTokenPath = "/latest/api/token";
constexpr std::string_view kTokenPathEnd = "/api/token";

/// The path of a target, query dropped and %XX decoded; nothing when an escape is broken or hides a control byte.
std::optional<std::string> path_of(std::string_view target)
{
    target = target.substr(0, target.find_first_of("?#"));
    std::string path;
    for (std::size_t i = 0; i < target.size(); ++i) {
        if (target[i] != '%') {
            path += target[i];
            continue;
        }
        const auto digits = target.substr(i + 1, 2);
        const auto value = parse_number<unsigned>(digits, 16);
        if (digits.size() != 2 || !value || *value < 0x20 || *value == 0x7f) {
            return std::nullopt;
        }
        path += static_cast<char>(*value);
        i += 2;
    }
    return path;
}

/// True for `/VERSION/api/token` of a version other than latest that exists: that PUT is refused by design.
bool is_dated_token_path(std::string_view path, const Tree& tree)
{
    return path != kTokenPath && path.size() > kTokenPathEnd.size() && path.ends_with(kTokenPathEnd) &&
           tree.is_version(path.substr(1, path.size() - kTokenPathEnd.size() - 1));
}

std::optional<int> requested_ttl(const Request& request)
{
    const auto text = request.header(kTtlHeader);
    if (!text || request.header_count(kTtlHeader) != 1) {
        return std::nullopt;
    }
    const auto ttl = parse_number<int>(*text);
    if (!ttl || *ttl < kMinTokenTtlSeconds || *ttl > kMaxTokenTtlSeconds) {
        return std::nullopt;
    }
    return ttl;
}

Response not_allowed(std::string_view allow)
{
    Response response = error_response(405);
    response.headers.push_back({"Allow", std::string(allow)});
    return response;
}

} // namespace

bool is_in_scope(FaultScope scope, bool is_put)
{
    switch (scope) {
    case FaultScope::All: return true;
    case FaultScope::Token: return is_put;
    case FaultScope::Get: return !is_put;
    }
    return true;
}

Answer Service::answer(const Request& request, const Settings& settings, const Now& now)
{
    Answer answer;
    answer.is_put = request.method == "PUT";
    const Faults& faults = settings.faults;
    const bool in_scope = is_in_scope(faults.scope, answer.is_put);
    answer.throttled =
        in_scope && faults.throttle_per_second > 0 && !throttle_.allows(now.steady, faults.throttle_per_second);
    const auto path = path_of(request.target);
    answer.path = path.value_or(request.target);
    if (answer.throttled) {
        answer.response = error_response(503);
    } else if (in_scope && faults.status != 0) {
        answer.response = error_response(faults.status);
    } else if (!path) {
        answer.response = error_response(400);
    } else {
        answer.response = respond(request, settings, now, answer);
    }
    return answer;
}

Response Service::respond(const Request& request, const Settings& settings, const Now& now, Answer& answer)
{
    if (!settings.endpoint_enabled) {
        return error_response(403);
    }
    if (answer.is_put) {
        return put(request, now, answer);
    }
    if (answer.path == kTokenPath) {
        return not_allowed("PUT");
    }
    if (request.method != "GET" && request.method != "HEAD") {
        return not_allowed("GET, HEAD");
    }
    return get(request, settings, now, answer);
}

Response Service::put(const Request& request, const Now& now, Answer& answer)
{
    answer.credential = Credential::TokenCall;
    // Documented as rejected; the status is not. A proxy or a misused reverse proxy adds this header.
    if (request.header("X-Forwarded-For")) {
        return error_response(403);
    }
    if (answer.path != kTokenPath) {
        return is_dated_token_path(answer.path, tree_) ? error_response(403) : not_allowed("GET, HEAD");
    }
    const auto ttl = requested_ttl(request);
    if (!ttl) {
        return error_response(400);
    }
    answer.ttl_seconds = *ttl;
    Response response;
    response.body = issuer_.issue(now.steady, std::chrono::seconds(*ttl));
    response.headers.push_back({std::string(kTtlHeader), std::to_string(*ttl)});
    return response;
}

Response Service::get(const Request& request, const Settings& settings, const Now& now, Answer& answer)
{
    if (const auto token = request.header(kTokenHeader)) {
        const bool is_single = request.header_count(kTokenHeader) == 1;
        const TokenState state = is_single ? issuer_.check(*token, now.steady) : TokenState::Invalid;
        switch (state) {
        case TokenState::Valid: answer.credential = Credential::Token; break;
        case TokenState::Expired: answer.credential = Credential::ExpiredToken; break;
        case TokenState::Invalid: answer.credential = Credential::InvalidToken; break;
        }
        if (state != TokenState::Valid) {
            return error_response(401); // also where tokens are optional
        }
    } else if (settings.tokens_required) {
        return error_response(401);
    }
    auto body = tree_.find(answer.path, now.wall);
    if (!body) {
        return error_response(404);
    }
    Response response;
    response.body = std::move(*body);
    return response;
}

} // namespace hostward::imds_sim
