// SPDX-License-Identifier: Apache-2.0
#include "agent/report/jwt.h"
#include "agent/base/text.h"
#include "agent/report/base64.h"
#include "agent/report/json_read.h"
#include "agent/report/strict_json.h"
#include "agent/report/sts_answer.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace hostward::report {

namespace {

using Json = nlohmann::json;

constexpr auto kNamespace = "https://sts.amazonaws.com/";
constexpr std::int64_t kClockS = 60; ///< how far the issuer's clock may be ahead of ours

Refusal claims_refusal(const std::string& text) { return {"token-claims", "the web identity token " + text}; }

std::optional<std::int64_t> seconds(const Json& claims, const char* name)
{
    const auto found = claims.find(name);
    return found == claims.end() || !found->is_number_integer() ? std::nullopt
                                                                : std::optional(found->get<std::int64_t>());
}

/// One audience only: a token that is good for somebody else, too, could come from there.
bool is_for(const Json& claims, const std::string& audience)
{
    const auto found = claims.find("aud");
    return found != claims.end() && (*found == audience || *found == Json::array({audience}));
}

/// The instance of `arn:PARTITION:ec2:REGION:ACCOUNT:instance/INSTANCE` in that account, or "".
std::string instance_of(std::string_view arn, std::string_view account)
{
    constexpr std::size_t kParts = 6;
    constexpr std::string_view kKind = "instance/";
    const auto parts = split(arn, ':');
    if (parts.size() != kParts || parts[0] != "arn" || parts[2] != "ec2" || parts[4] != account ||
        !parts[5].starts_with(kKind) || !is_instance_id(parts[5].substr(kKind.size()))) {
        return "";
    }
    return std::string(parts[5].substr(kKind.size()));
}

Check check_bindings(const Json& claims, const TokenRules& rules)
{
    if (!rules.issuer.empty() && json_text(claims, "iss") != rules.issuer) {
        return claims_refusal("is of another issuer");
    }
    if (!is_for(claims, rules.audience)) {
        return claims_refusal("is for another audience, or for several");
    }
    const Json aws = claims.value(kNamespace, Json());
    const Json tags = aws.is_object() ? aws.value("request_tags", Json()) : Json();
    if (json_text(tags, "report-sha256") != rules.report_sha256) {
        return claims_refusal("is for another report");
    }
    if (json_text(tags, "nonce") != rules.nonce) {
        return claims_refusal("has another nonce");
    }
    return is_account_id(json_text(aws, "aws_account")) ? std::nullopt : Check(claims_refusal("names no account"));
}

Check check_times(const TokenFacts& facts, const TokenRules& rules)
{
    if (facts.issued_s - rules.now_s > kClockS) {
        return Refusal{"token-time", "the web identity token was issued in the future"};
    }
    if (facts.expires_s <= rules.now_s) {
        return Refusal{"token-time", "the web identity token has expired"};
    }
    if (rules.now_s - facts.issued_s > rules.max_age_s) {
        return Refusal{"token-time", "the web identity token was issued more than " + std::to_string(rules.max_age_s) +
                                         " seconds ago"};
    }
    return std::nullopt;
}

Checked<TokenFacts> read_facts(const Json& claims, const TokenRules& rules)
{
    if (auto refused = check_bindings(claims, rules)) {
        return *refused;
    }
    const auto issued = seconds(claims, "iat");
    const auto expires = seconds(claims, "exp");
    if (!issued || !expires) {
        return claims_refusal("has no iat and exp");
    }
    const Json aws = claims.value(kNamespace, Json());
    const std::string account = json_text(aws, "aws_account");
    TokenFacts out{json_text(claims, "iss"),
                   account,
                   json_text(aws, "source_region"),
                   instance_of(json_text(aws, "ec2_source_instance_arn"), account),
                   *issued,
                   *expires};
    if (auto refused = check_times(out, rules)) {
        return *refused;
    }
    return out;
}

} // namespace

std::optional<TokenParts> split_token(std::string_view token)
{
    constexpr std::size_t kParts = 3;
    const auto texts = split(token, '.');
    if (texts.size() != kParts) {
        return std::nullopt;
    }
    const auto head = from_base64url(texts[0]);
    const auto claims = from_base64url(texts[1]);
    const auto signature = from_base64url(texts[2]);
    if (!head || !claims || !signature || !check_strict_object(*head, "") || !check_strict_object(*claims, "")) {
        return std::nullopt;
    }
    return TokenParts{*head, *claims, *signature, token.substr(0, token.rfind('.'))};
}

Checked<TokenFacts> verify_token(std::string_view token, const TokenRules& rules)
{
    const auto parts = split_token(token);
    if (!parts) {
        return Refusal{"token-form", "the web identity token is no JSON web token"};
    }
    if (auto refused = check_token_signature(*parts, rules.jwks)) {
        return *refused;
    }
    return read_facts(Json::parse(parts->claims, nullptr, false), rules);
}

} // namespace hostward::report
