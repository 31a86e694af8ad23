// SPDX-License-Identifier: Apache-2.0
#include "agent/report/sts_request.h"
#include "agent/base/text.h"
#include "agent/report/proof_form.h"
#include "agent/report/sts_hosts.h"

#include <algorithm>
#include <array>
#include <map>

namespace hostward::report {

namespace {

using Headers = std::map<std::string, std::string, std::less<>>;

constexpr std::string_view kFormType = "application/x-www-form-urlencoded; charset=utf-8";
constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256 Credential=";
constexpr std::string_view kSignedHeaders = ", SignedHeaders=";
constexpr std::string_view kSignature = ", Signature=";
constexpr std::array<std::string_view, 8> kAllowed{"authorization", "content-type",  "host",
                                                   "x-amz-date",    kAudienceHeader, "x-amz-security-token",
                                                   kNonceHeader,    kReportHeader};
constexpr std::array<std::string_view, 5> kNeeded{"authorization", "x-amz-date", kAudienceHeader, kNonceHeader,
                                                  kReportHeader};

std::string lower(std::string text)
{
    std::ranges::transform(text, text.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | ' ') : c; });
    return text;
}

Refusal headers_refusal(const std::string& text) { return {"sts-headers", text}; }

/// Each name once, none but those that the question needs: a header could ask STS for something else.
Checked<Headers> read_headers(const HttpRequest& request)
{
    Headers out;
    for (const auto& header : request.headers) {
        const std::string name = lower(header.name);
        if (std::ranges::find(kAllowed, name) == kAllowed.end()) {
            return headers_refusal("the STS request has the header " + quote(name) +
                                   ", which the question does not need");
        }
        if (!out.emplace(name, header.value).second) {
            return headers_refusal("the STS request has the header " + quote(name) + " twice");
        }
    }
    for (const auto name : kNeeded) {
        if (!out.contains(name)) {
            return headers_refusal("the STS request has no header " + quote(name));
        }
    }
    if (const auto type = out.find("content-type"); type != out.end() && type->second != kFormType) {
        return headers_refusal("the STS request's content-type is not that of a form");
    }
    return out;
}

Check check_bound_values(const Headers& headers, const ProofParts& parts)
{
    for (const auto& [name, value, what] : {std::tuple{kAudienceHeader, &parts.audience, "audience"},
                                            {kNonceHeader, &parts.nonce, "nonce"},
                                            {kReportHeader, &parts.report_sha256, "report hash"}}) {
        if (headers.find(std::string_view(name))->second != *value) {
            return Refusal{"sts-binding",
                           std::string("the signed request is for another ") + what + " than the proof says"};
        }
    }
    return std::nullopt;
}

struct Authorization {
    std::string_view date;
    std::string_view region;
    std::string_view signed_headers;
};

bool is_access_key(std::string_view text)
{
    constexpr std::size_t kMin = 16;
    constexpr std::size_t kMax = 128;
    return text.size() >= kMin && text.size() <= kMax &&
           text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == text.npos;
}

std::optional<Authorization> parse_authorization(std::string_view text)
{
    constexpr std::size_t kScopeParts = 5;
    if (!text.starts_with(kAlgorithm)) {
        return std::nullopt;
    }
    text.remove_prefix(kAlgorithm.size());
    const auto headers_at = text.find(kSignedHeaders);
    const auto signature_at = text.find(kSignature);
    if (headers_at == text.npos || signature_at == text.npos || signature_at < headers_at + kSignedHeaders.size() ||
        !is_sha256(text.substr(signature_at + kSignature.size()))) {
        return std::nullopt;
    }
    const auto scope = split(text.substr(0, headers_at), '/');
    if (scope.size() != kScopeParts || !is_access_key(scope[0]) || scope[3] != "sts" || scope[4] != "aws4_request") {
        return std::nullopt;
    }
    const auto begin = headers_at + kSignedHeaders.size();
    return Authorization{scope[1], scope[2], text.substr(begin, signature_at - begin)};
}

/// Host may be left to the client library, which takes it from the URL; everything else signed is there, and everything
/// there is signed.
Check check_signed_headers(const Authorization& authorization, const Headers& headers)
{
    std::vector<std::string_view> expected{"host"};
    for (const auto& [name, value] : headers) {
        if (name != "authorization" && name != "host") {
            expected.push_back(name);
        }
    }
    std::ranges::sort(expected);
    if (split(authorization.signed_headers, ';') != expected) {
        return Refusal{"sts-signed-headers", "the STS request's signature does not cover exactly its headers and host"};
    }
    return std::nullopt;
}

struct Target {
    std::string host; ///< with the port, as in the Host header
    std::string region;
    std::string partition;
};

Checked<Target> trusted_target(const std::string& url, const std::string& trusted)
{
    const std::string full = trusted.ends_with('/') ? trusted : trusted + "/";
    if (url != full) {
        return Refusal{"sts-host", "the STS request is not for the trusted endpoint"};
    }
    const auto begin = full.find("://") + 3;
    return Target{full.substr(begin, full.size() - 1 - begin), "", ""};
}

Checked<Target> target_of(const std::string& url, const std::string& trusted)
{
    constexpr std::string_view kScheme = "https://";
    if (!trusted.empty()) {
        return trusted_target(url, trusted);
    }
    if (!url.starts_with(kScheme)) {
        return Refusal{"sts-url", "the STS request's URL is not https"};
    }
    const auto slash = url.find('/', kScheme.size());
    if (slash == std::string::npos || slash + 1 != url.size()) {
        return Refusal{"sts-url", "the STS request's path is not / alone"};
    }
    const std::string host = url.substr(kScheme.size(), slash - kScheme.size());
    const auto known = sts_host(host);
    if (!known) {
        return Refusal{"sts-host",
                       "the STS request is for " + quote(host) + ", which is no regional STS endpoint of AWS"};
    }
    return Target{host, std::string(known->region), std::string(known->partition)};
}

Checked<std::int64_t> check_date(const std::string& text, const Authorization& authorization, const StsRules& rules)
{
    const auto signed_s = parse_amz_date(text);
    if (!signed_s || !text.starts_with(authorization.date) || text.find('T') != authorization.date.size()) {
        return Refusal{"sts-date", "the STS request's x-amz-date is no date, or not that of its signature"};
    }
    if (*signed_s - rules.now_s > kFutureS) {
        return Refusal{"sts-future", "the STS request was signed in the future"};
    }
    if (rules.now_s - *signed_s > rules.max_age.count()) {
        return Refusal{"sts-too-old", "the STS request was signed more than " + std::to_string(rules.max_age.count()) +
                                          " seconds ago"};
    }
    return *signed_s;
}

Check check_target(const Target& target, const Headers& headers, const Authorization& authorization)
{
    if (const auto host = headers.find("host"); host != headers.end() && host->second != target.host) {
        return Refusal{"sts-host", "the STS request's host header is not the host of its URL"};
    }
    if (!target.region.empty() && authorization.region != target.region) {
        return Refusal{"sts-scope", "the STS request is signed for another region than its host's"};
    }
    return std::nullopt;
}

/// What we send: their signed headers, our Accept, the constant body.
HttpRequest request_to_send(const std::string& url, const Headers& headers)
{
    HttpRequest out{"POST", url, {{"accept", "application/json"}}, kCallerIdentityBody};
    if (!headers.contains("content-type")) {
        out.headers.push_back({"content-type", std::string(kFormType)});
    }
    for (const auto& [name, value] : headers) {
        if (name != "host") {
            out.headers.push_back({name, value});
        }
    }
    return out;
}

Checked<StsRequest> judge(const ProofParts& parts, const Target& target, const Headers& headers, const StsRules& rules)
{
    const auto authorization = parse_authorization(headers.find("authorization")->second);
    if (!authorization) {
        return Refusal{"sts-authorization", "the STS request's authorization is no AWS4-HMAC-SHA256 for sts"};
    }
    for (const auto& check : {check_bound_values(headers, parts), check_signed_headers(*authorization, headers),
                              check_target(target, headers, *authorization)}) {
        if (check) {
            return *check;
        }
    }
    const auto date = check_date(headers.find("x-amz-date")->second, *authorization, rules);
    if (const auto* refusal = std::get_if<Refusal>(&date)) {
        return *refusal;
    }
    return StsRequest{request_to_send(parts.sts->url, headers), std::string(authorization->region), target.partition,
                      std::get<std::int64_t>(date)};
}

} // namespace

Checked<StsRequest> check_sts_request(const ProofParts& parts, const StsRules& rules)
{
    const auto target = target_of(parts.sts->url, rules.trusted_endpoint);
    if (const auto* refusal = std::get_if<Refusal>(&target)) {
        return *refusal;
    }
    if (parts.sts->method != "POST" || parts.sts->body != kCallerIdentityBody) {
        return Refusal{"sts-url", "the STS request is no POST of GetCallerIdentity"};
    }
    const auto headers = read_headers(*parts.sts);
    if (const auto* refusal = std::get_if<Refusal>(&headers)) {
        return *refusal;
    }
    return judge(parts, std::get<Target>(target), std::get<Headers>(headers), rules);
}

} // namespace hostward::report
