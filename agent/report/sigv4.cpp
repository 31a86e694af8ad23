// SPDX-License-Identifier: Apache-2.0
#include "agent/report/sigv4.h"

#include "agent/base/text.h"
#include "agent/report/digest.h"
#include "agent/report/sigv4_canonical.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>

namespace hostward::report {

namespace {

constexpr auto kAlgorithm = "AWS4-HMAC-SHA256";
constexpr auto kContentHeader = "x-amz-content-sha256";
constexpr auto kUnsignedPayload = "UNSIGNED-PAYLOAD";
constexpr int kExpiresMaxS = 604800;

using Digest = std::array<unsigned char, 32>;

std::string_view bytes_of(const Digest& digest)
{
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// OpenSSL without SHA-256 cannot be worked with, and a wrong hash must never leave: the process ends.
Digest hmac(std::string_view key, std::string_view text)
{
    Digest out{};
    unsigned int size = 0;
    const auto* done = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                            reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(), &size);
    if (done == nullptr || size != out.size()) {
        std::abort();
    }
    return out;
}

struct Stamp {
    std::string time; ///< 20261121T090000Z
    std::string scope;
};

Stamp stamp_of(const SigningScope& scope)
{
    const std::string time = amz_date(scope.time_s);
    return {time, time.substr(0, 8) + "/" + scope.region + "/" + scope.service + "/aws4_request"};
}

std::string signature_of(const std::string& text, const AwsKeys& keys, const SigningScope& scope, const Stamp& stamp)
{
    Digest key = hmac("AWS4" + keys.secret_access_key, stamp.time.substr(0, 8));
    for (const std::string_view part :
         {std::string_view(scope.region), std::string_view(scope.service), std::string_view("aws4_request")}) {
        key = hmac(bytes_of(key), part);
    }
    const Digest out = hmac(bytes_of(key), text);
    return hex(out.data(), out.size());
}

bool has(const HttpRequest& request, std::string_view name)
{
    return HttpResponse{0, request.headers, {}}.header(name).has_value();
}

/// Hash of the body, or what the caller put in its place.
std::string payload_of(const HttpRequest& request)
{
    const HttpResponse view{0, request.headers, {}};
    const auto given = view.header(kContentHeader);
    return given ? std::string(*given) : sha256_hex(request.body);
}

Status check(const AwsKeys& keys, const SigningScope& scope)
{
    if (keys.access_key_id.empty() || keys.secret_access_key.empty()) {
        return invalid_error("a key to sign with is empty");
    }
    if (scope.region.empty() || scope.service.empty() || !parse_amz_date(amz_date(scope.time_s))) {
        return invalid_error("a signature needs region, service and a time of four-digit years");
    }
    return success();
}

/// Headers with Host, which a client library adds from the URL.
std::vector<HttpHeader> with_host(const HttpRequest& request, const UrlParts& url)
{
    auto headers = request.headers;
    if (!has(request, "host")) {
        headers.push_back({"Host", host_of(url)});
    }
    return headers;
}

/// What a signature is made of besides the keys.
struct Canon {
    std::string method;
    UrlParts url;
    Query query;
    CanonicalHeaders headers;
    std::string payload;
};

SigningSteps steps_of(const Canon& canon, const AwsKeys& keys, const SigningScope& scope, const SigningRules& rules)
{
    const Stamp stamp = stamp_of(scope);
    SigningSteps steps;
    steps.canonical_request = canon.method + "\n" + canonical_path(canon.url.path, rules) + "\n" +
                              canonical_query(canon.query) + "\n" + canon.headers.text + "\n" +
                              canon.headers.signed_names + "\n" + canon.payload;
    steps.string_to_sign =
        std::string(kAlgorithm) + "\n" + stamp.time + "\n" + stamp.scope + "\n" + sha256_hex(steps.canonical_request);
    steps.signature = signature_of(steps.string_to_sign, keys, scope, stamp);
    return steps;
}

/// After what the URL has as its query, whose bytes stay as they are.
void append_query(std::string& url, const Query& added)
{
    const bool has_query = url.find('?') != std::string::npos;
    const bool is_ready = url.ends_with('?') || url.ends_with('&');
    std::string separator = has_query ? (is_ready ? "" : "&") : "?";
    for (const auto& [name, value] : added) {
        url.append(separator).append(name).append("=").append(uri_encode(value, false));
        separator = "&";
    }
}

} // namespace

SigningRules rules_for(std::string_view service)
{
    SigningRules rules;
    if (service == "s3") {
        rules.normalizes_path = false;
        rules.encodes_path_twice = false;
        rules.adds_content_sha256 = true;
        rules.presigns_payload = false;
    }
    return rules;
}

Result<SignedRequest> sign_headers_in_steps(const HttpRequest& request, const AwsKeys& keys, const SigningScope& scope,
                                            const SigningRules& rules)
{
    TRY(check(keys, scope));
    TRY_ASSIGN(const UrlParts url, split_url(request.url));
    if (has(request, "authorization") || has(request, "x-amz-date") || has(request, "x-amz-security-token")) {
        return invalid_error("the request carries a signature already");
    }
    const Stamp stamp = stamp_of(scope);
    SignedRequest out{.request = request, .steps = {}};
    auto& headers = out.request.headers;
    const bool has_token = !keys.session_token.empty();
    if (has_token && rules.signs_session_token) {
        headers.push_back({"X-Amz-Security-Token", keys.session_token});
    }
    headers.push_back({"X-Amz-Date", stamp.time});
    const std::string payload = payload_of(request);
    if (rules.adds_content_sha256 && !has(request, kContentHeader)) {
        headers.push_back({kContentHeader, payload});
    }
    const auto canonical = canonical_headers(with_host(out.request, url));
    out.steps = steps_of({request.method, url, parse_query(url.query), canonical, payload}, keys, scope, rules);
    if (has_token && !rules.signs_session_token) {
        headers.insert(headers.end() - 1, {"X-Amz-Security-Token", keys.session_token});
    }
    headers.push_back({"Authorization", std::string(kAlgorithm) + " Credential=" + keys.access_key_id + "/" +
                                            stamp.scope + ", SignedHeaders=" + canonical.signed_names +
                                            ", Signature=" + out.steps.signature});
    return out;
}

Result<SignedUrl> presign_in_steps(const HttpRequest& request, const AwsKeys& keys, const SigningScope& scope,
                                   const SigningRules& rules, int expires_s)
{
    TRY(check(keys, scope));
    TRY_ASSIGN(const UrlParts url, split_url(request.url));
    if (expires_s < 1 || expires_s > kExpiresMaxS) {
        return invalid_error("a presigned URL lasts 1 to 604800 seconds");
    }
    const auto headers = canonical_headers(with_host(request, url));
    const Stamp stamp = stamp_of(scope);
    Query added{{"X-Amz-Algorithm", kAlgorithm},
                {"X-Amz-Credential", keys.access_key_id + "/" + stamp.scope},
                {"X-Amz-Date", stamp.time},
                {"X-Amz-SignedHeaders", headers.signed_names},
                {"X-Amz-Expires", std::to_string(expires_s)}};
    const Query token{{"X-Amz-Security-Token", keys.session_token}};
    const bool has_token = !keys.session_token.empty();
    Query signed_query = parse_query(url.query);
    if (std::ranges::any_of(signed_query, [](const auto& one) { return one.first == "X-Amz-Signature"; })) {
        return invalid_error("the URL carries a signature already");
    }
    std::ranges::copy(added, std::back_inserter(signed_query));
    if (has_token && rules.signs_session_token) {
        std::ranges::copy(token, std::back_inserter(signed_query));
    }
    const std::string payload =
        rules.presigns_payload || has(request, kContentHeader) ? payload_of(request) : kUnsignedPayload;
    SignedUrl out{.url = request.url,
                  .steps = steps_of({request.method, url, signed_query, headers, payload}, keys, scope, rules)};
    if (has_token) {
        added.push_back(token.front());
    }
    added.emplace_back("X-Amz-Signature", out.steps.signature);
    append_query(out.url, added);
    return out;
}

Result<HttpRequest> sign_headers(const HttpRequest& request, const AwsKeys& keys, const SigningScope& scope,
                                 const SigningRules& rules)
{
    TRY_ASSIGN(SignedRequest done, sign_headers_in_steps(request, keys, scope, rules));
    return std::move(done.request);
}

Result<std::string> presigned_url(const HttpRequest& request, const AwsKeys& keys, const SigningScope& scope,
                                  const SigningRules& rules, int expires_s)
{
    TRY_ASSIGN(SignedUrl done, presign_in_steps(request, keys, scope, rules, expires_s));
    return std::move(done.url);
}

std::string amz_date(std::int64_t time_s)
{
    const std::time_t time = time_s;
    std::tm parts{};
    std::array<char, 32> text{};
    if (gmtime_r(&time, &parts) == nullptr) {
        return {};
    }
    return {text.data(), std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts)};
}

std::optional<std::int64_t> parse_amz_date(std::string_view text)
{
    if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') {
        return std::nullopt;
    }
    const auto number = [&](std::size_t at, std::size_t size) {
        return parse_number<int>(text.substr(at, size)).value_or(-1);
    };
    std::tm parts{};
    parts.tm_year = number(0, 4) - 1900;
    parts.tm_mon = number(4, 2) - 1;
    parts.tm_mday = number(6, 2);
    parts.tm_hour = number(9, 2);
    parts.tm_min = number(11, 2);
    parts.tm_sec = number(13, 2);
    const std::int64_t time = timegm(&parts);
    // A 31st of February and a "-1" come back as something else.
    return amz_date(time) == text ? std::optional(time) : std::nullopt;
}

std::string sha256_hex(std::string_view bytes)
{
    const std::string digest = sha256_bytes(bytes);
    return hex(reinterpret_cast<const unsigned char*>(digest.data()), digest.size());
}

} // namespace hostward::report
