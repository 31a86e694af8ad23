// SPDX-License-Identifier: Apache-2.0
// How the metadata service is set, by how it answers. Only a running instance can be asked.
#include "hardening/models/lines.h"
#include "hardening/models/pattern.h"
#include "hardening/primitives/primitives.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kHopArguments{
    ArgumentSpec{"at_most", ValueType::Number, true, "the largest hop limit allowed, 1 to 64", {}},
};
constexpr std::array<std::string_view, 3> kAbsent{"pass", "fail", "manual"};
constexpr std::array kRoleArguments{
    ArgumentSpec{"absent", ValueType::Text, true, "the verdict on an instance without a role", kAbsent},
};
constexpr auto kWithoutToken = "GET without a token";
constexpr auto kToken = "PUT for a token";
constexpr auto kTagsItem = "meta-data/tags/instance";
constexpr auto kRoleItem = "meta-data/iam/info";

Result<Outcome> evaluate_token(const Arguments& /*arguments*/, Facts& facts)
{
    constexpr int kUnauthorized = 401;
    constexpr int kForbidden = 403;
    constexpr int kNotFound = 404;
    TRY_ASSIGN(const auto access, facts.surroundings().metadata_access());
    const int status = access.status_without_token;
    const std::string found = "HTTP status " + std::to_string(status);
    if (status == kUnauthorized) {
        return Outcome::of(Verdict::Pass, {"refused", found, kWithoutToken});
    }
    if (status == kForbidden) {
        return Outcome::of(Verdict::Pass, {"refused", found + ": the service is turned off", kWithoutToken});
    }
    constexpr int kOk = 200;
    constexpr int kRedirect = 300;
    if ((status >= kOk && status < kRedirect) || status == kNotFound) {
        return Outcome::of(Verdict::Fail, {"refused", found + ": it answers", kWithoutToken});
    }
    return Outcome::cannot_tell(std::string("the answer to a ") + kWithoutToken + " was " + found);
}

Result<Outcome> evaluate_hop_limit(const Arguments& arguments, Facts& facts)
{
    TRY_ASSIGN(const auto access, facts.surroundings().metadata_access());
    TRY_ASSIGN(const int limit, Result<int>(access.hop_limit));
    const auto most = arguments.number("at_most");
    return Outcome::pass_if(limit <= most,
                            {"at most " + std::to_string(most),
                             (limit >= kHopLimitMax ? "64 or more" : std::to_string(limit)) + ", from the answer's TTL",
                             kToken});
}

Result<Outcome> evaluate_tags(const Arguments& /*arguments*/, Facts& facts)
{
    const auto tags = facts.surroundings().metadata(kTagsItem);
    if (!tags && tags.error().kind == ErrorKind::NotFound) {
        return Outcome::of(Verdict::Pass, {"no such item", "no such item", kTagsItem});
    }
    if (!tags) {
        return tags.error();
    }
    const auto count = trimmed(*tags).empty() ? 0 : std::ranges::count(trimmed(*tags), '\n') + 1;
    return Outcome::of(Verdict::Fail, {"no such item", "there, with " + std::to_string(count) + " tags", kTagsItem});
}

/// The ARN of the profile: other members of the item are not shown.
std::string profile_in(const std::string& info)
{
    const auto pattern = Pattern::compile("\"InstanceProfileArn\"\\s*:\\s*\"([^\"]+)\"");
    std::string arn;
    return pattern && pattern->find(info, arn) ? arn : "there, without an ARN";
}

Verdict verdict_of(std::string_view name)
{
    if (name == "pass") {
        return Verdict::Pass;
    }
    return name == "fail" ? Verdict::Fail : Verdict::Manual;
}

Result<Outcome> evaluate_role(const Arguments& arguments, Facts& facts)
{
    constexpr auto kExpected = "an instance profile where programs call AWS";
    const auto info = facts.surroundings().metadata(kRoleItem);
    if (info) {
        return Outcome::of(Verdict::Pass, {kExpected, profile_in(*info), kRoleItem});
    }
    if (info.error().kind != ErrorKind::NotFound) {
        return info.error();
    }
    Outcome out = Outcome::of(verdict_of(arguments.text("absent")), {kExpected, "none", kRoleItem});
    if (out.verdict == Verdict::Manual) {
        out.reason = "fine where no program of this host calls AWS, which a person must judge";
    }
    return out;
}

} // namespace

const Primitive kImdsTokenPrimitive{
    "imds-token", "The metadata service answers nobody without a token (IMDSv1 is off).", {}, evaluate_token};
const Primitive kImdsHopLimitPrimitive{"imds-hop-limit",
                                       "The answer with the token cannot travel further than the hop limit allows.",
                                       kHopArguments, evaluate_hop_limit};
const Primitive kImdsTagsPrimitive{
    "imds-tags", "The instance's tags are not in the metadata service.", {}, evaluate_tags};
const Primitive kInstanceRolePrimitive{"instance-role", "The instance has a role (an instance profile).",
                                       kRoleArguments, evaluate_role};

} // namespace hostward::hardening
