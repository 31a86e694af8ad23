// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"

#include "agent/base/text.h"
#include "hardening/models/crypto_policy.h"
#include "hardening/models/glob.h"
#include "hardening/models/lines.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kPolicyArguments{
    ArgumentSpec{"without", ValueType::List, true, "policies that it must not be: `LEGACY`", {}},
};
constexpr std::array kValueArguments{
    ArgumentSpec{"setting", ValueType::Text, true, "a setting of crypto-policies(7): `cipher`, `mac`, `etm`", {}},
    ArgumentSpec{"scopes", ValueType::List, false, "back ends: `openssh-server`; default: what holds for all", {}},
    ArgumentSpec{"without", ValueType::List, false, "shell patterns, any case, that no value may match: `*-CBC`", {}},
    ArgumentSpec{"only", ValueType::List, false, "the values that are allowed", {}},
};

constexpr auto kConfig = "/etc/crypto-policies/config";

std::string base_of(const std::string& policy) { return policy.substr(0, policy.find(':')); }

Outcome judge_name(const std::string& policy, const std::vector<std::string>& without, const std::string& where)
{
    const std::string base = base_of(policy);
    return Outcome::pass_if(!base.empty() && std::ranges::find(without, base) == without.end(),
                            {"not " + without.front(), policy.empty() ? "no policy" : policy, where});
}

Result<Outcome> evaluate_crypto_policy(const Arguments& arguments, Facts& facts)
{
    const auto& policy = facts.get<CryptoPolicy>();
    if (!policy) {
        return policy.error();
    }
    const auto& without = arguments.list("without");
    std::vector<Outcome> parts{judge_name(policy->configured, without, policy->configured_where.text())};
    // What was applied last is what programs use; without it, nobody ran update-crypto-policies since the change.
    parts.push_back(judge_name(policy->current, without, "/etc/crypto-policies/state/current"));
    return all_of(parts);
}

bool is_allowed(const Arguments& arguments, const std::string& value)
{
    const auto only = arguments.list_or_none("only");
    const auto without = arguments.list_or_none("without");
    const bool is_bad =
        std::ranges::any_of(without, [&](const auto& pattern) { return matches_text(lower(pattern), lower(value)); });
    return !is_bad && (only.empty() || std::ranges::find(only, value) != only.end());
}

std::string expected_of(const Arguments& arguments)
{
    std::string text = joined(arguments.list_or_none("only"), " or ");
    for (const auto& one : arguments.list_or_none("without")) {
        text += (text.empty() ? "no " : ", no ") + one;
    }
    return text;
}

Outcome judge_values(const CryptoPolicy& policy, const Arguments& arguments, const std::string& scope)
{
    const std::string name = arguments.text("setting") + (scope.empty() ? "" : " for " + scope);
    const auto* values = policy.values(arguments.text("setting"), scope);
    if (values == nullptr) {
        return Outcome::cannot_tell(policy.allowed_file + " does not say " + name);
    }
    std::string bad;
    for (const auto& value : *values) {
        bad += is_allowed(arguments, value) ? "" : " " + value;
    }
    return Outcome::pass_if(bad.empty(), {name + ": " + expected_of(arguments),
                                          bad.empty() ? "none of them" : name + " has" + bad, policy.allowed_file});
}

Result<Outcome> evaluate_crypto_policy_values(const Arguments& arguments, Facts& facts)
{
    const auto& policy = facts.get<CryptoPolicy>();
    if (!policy) {
        return policy.error();
    }
    if (policy->allowed_file.empty()) {
        return Outcome::cannot_tell(
            "/etc/crypto-policies/state/CURRENT.pol is missing: update-crypto-policies makes it");
    }
    auto scopes = arguments.list_or_none("scopes");
    if (scopes.empty()) {
        scopes.emplace_back();
    }
    std::vector<Outcome> parts;
    for (const auto& scope : scopes) {
        parts.push_back(judge_values(*policy, arguments, scope));
    }
    if (policy->current != policy->configured) {
        parts.push_back(
            Outcome::of(Verdict::Fail, {policy->configured + " applied", policy->current + " is what programs use",
                                        std::string(kConfig) + ", /etc/crypto-policies/state/current"}));
    }
    return all_of(parts);
}

} // namespace

const Primitive kCryptoPolicyPrimitive{"crypto_policy", "The system-wide crypto policy is none of these.",
                                       kPolicyArguments, evaluate_crypto_policy};
const Primitive kCryptoPolicyValuesPrimitive{
    "crypto_policy_values", "What the applied crypto policy allows has none of the patterns, or only these values.",
    kValueArguments, evaluate_crypto_policy_values};

} // namespace hostward::hardening
