// SPDX-License-Identifier: Apache-2.0
#include "agent/report/web_identity.h"

#include "agent/report/aws_client.h"
#include "agent/report/sigv4_canonical.h"

#include <array>
#include <string_view>
#include <utility>

namespace hostward::report {

namespace {

constexpr std::size_t kTokenBytesMax = std::size_t{16} * 1024;

std::string form_of(const ProofParts& parts)
{
    const std::array<std::pair<std::string_view, std::string>, 9> fields{{
        {"Action", "GetWebIdentityToken"},
        {"Version", "2011-06-15"},
        {"Audience.member.1", parts.audience},
        {"SigningAlgorithm", "ES384"},
        {"DurationSeconds", std::to_string(kTokenDurationS)},
        {"Tags.member.1.Key", "report-sha256"},
        {"Tags.member.1.Value", parts.report_sha256},
        {"Tags.member.2.Key", "nonce"},
        {"Tags.member.2.Value", parts.nonce},
    }};
    std::string out;
    for (const auto& [name, value] : fields) {
        out += (out.empty() ? "" : "&") + std::string(name) + "=" + uri_encode(value, false);
    }
    return out;
}

/// The characters of a token need no escape in XML.
Result<std::string> token_of(std::string_view answer)
{
    constexpr std::string_view kBegin = "<WebIdentityToken>";
    const auto begin = answer.find(kBegin);
    const auto end = begin == std::string_view::npos ? begin : answer.find('<', begin + kBegin.size());
    const auto token = end == std::string_view::npos
                           ? std::string_view()
                           : answer.substr(begin + kBegin.size(), end - begin - kBegin.size());
    const bool is_token =
        !token.empty() && token.size() <= kTokenBytesMax &&
        token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") ==
            std::string_view::npos;
    return is_token ? Result<std::string>(std::string(token)) : invalid_error("STS answered without a token");
}

} // namespace

Result<std::string> fetch_web_identity(const ProofParts& parts, const std::string& region, const std::string& endpoint,
                                       const SinkContext& context)
{
    config::SinkConfig service;
    service.name = "sts";
    service.endpoint = endpoint;
    TRY_ASSIGN(const auto client, AwsClient::open(service, "sts", context));
    AwsRequest request;
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    request.body = form_of(parts);
    const AwsAnswer answer = client->call(request, region);
    if (answer.result.delivery != Delivery::Done) {
        return Error{ErrorKind::Denied, 0, "sts:GetWebIdentityToken: " + answer.result.text};
    }
    return token_of(answer.response.body);
}

} // namespace hostward::report
