// SPDX-License-Identifier: Apache-2.0
#include "agent/base/text.h"
#include "agent/guard/policy.h"
#include "tests/unit/guard/fake_resolver.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>

namespace hostward::guard {
namespace {

CompiledPolicy compiled(const config::GuardConfig& config)
{
    FakeResolver resolver;
    return must_compile(config, resolver);
}

std::string whole(const config::GuardConfig& config)
{
    const auto policy = compiled(config);
    return hex(policy.head.policy_digest, sizeof(policy.head.policy_digest));
}

config::GuardConfig base()
{
    auto deny = rule("deny");
    deny.action = config::Action::Deny;
    return policy_of({rule("first"), deny, rule("last")});
}

TEST(PolicyDigest, IsStable)
{
    // Other versions must compute the same: connections survive an upgrade by it, and people compare it.
    EXPECT_EQ(whole(base()), whole(base()));
    EXPECT_EQ(whole(base()), "f20eeda716abd5f9b2e8be7cdc388d39b1cc87a9505f462c608f51465916cac3");
}

TEST(PolicyDigest, RuleDigestCoversRulesUpToIt)
{
    const auto before = compiled(base());
    auto changed = base();
    changed.rules[1].users = list({"1"});
    const auto after = compiled(changed);
    EXPECT_EQ(before.head.digest[0], after.head.digest[0]);
    EXPECT_NE(before.head.digest[1], after.head.digest[1]);
    EXPECT_NE(before.head.digest[2], after.head.digest[2]);
    changed = base();
    changed.rules.push_back(rule("more"));
    const auto longer = compiled(changed);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(before.head.digest[i], longer.head.digest[i]);
    }
    EXPECT_NE(whole(base()), whole(changed));
}

TEST(PolicyDigest, AllowRulesAreFacts)
{
    const auto policy = compiled(base());
    std::vector<std::uint64_t> facts;
    for (const auto& [key, fact] : policy.facts) {
        if (key.kind == HW_FACT_DIGEST) {
            facts.push_back(key.a);
            EXPECT_EQ(key.b, 0U);
            EXPECT_EQ(fact.endpoint, 0U);
        }
    }
    EXPECT_EQ(facts.size(), 2U);
    EXPECT_EQ(std::count(facts.begin(), facts.end(), policy.head.digest[0]), 1);
    EXPECT_EQ(std::count(facts.begin(), facts.end(), policy.head.digest[1]), 0) << "a deny rule allows nothing later";
    EXPECT_EQ(std::count(facts.begin(), facts.end(), policy.head.digest[2]), 1);
}

using Change = std::function<void(config::GuardConfig&)>;

TEST(PolicyDigest, SwitchesChangeOnlyTheWhole)
{
    const std::vector<Change> changes{
        [](auto& c) { c.mode = config::Mode::Audit; },
        [](auto& c) { c.forwarded = config::Action::Allow; },
        [](auto& c) { c.bypass_sockets = config::Action::Allow; },
        [](auto& c) { c.seal_until_reboot = true; },
    };
    std::vector<std::string> seen{whole(base())};
    for (const auto& change : changes) {
        auto config = base();
        change(config);
        EXPECT_EQ(compiled(config).head.digest[2], compiled(base()).head.digest[2]);
        EXPECT_EQ(std::count(seen.begin(), seen.end(), whole(config)), 0);
        seen.push_back(whole(config));
    }
}

TEST(PolicyDigest, EveryPartOfARuleAndAnEndpointCounts)
{
    const std::vector<Change> changes{
        [](auto& c) { c.rules[0].name = "other"; },
        [](auto& c) { c.rules[0].action = config::Action::Deny; },
        [](auto& c) { c.rules[0].users = list({"1"}); },
        [](auto& c) {
            c.rules[0].users = list({"0", "1"});
        },
        [](auto& c) { c.rules[0].groups = list({"1"}); },
        [](auto& c) { c.rules[0].exes = list({"/a"}); },
        [](auto& c) { c.rules[0].units = list({"a.service"}); },
        [](auto& c) { c.rules[0].cgroups = list({"/a.service"}); },
        [](auto& c) { c.rules[0].scope = config::Scope::Any; },
        [](auto& c) { c.rules[0].endpoints = list({"imds"}); },
        [](auto& c) { c.endpoints[0].name = "other"; },
        [](auto& c) { c.endpoints[0].default_action = config::Action::Allow; },
        [](auto& c) { c.endpoints[0].addresses.pop_back(); },
        [](auto& c) { std::swap(c.rules[0], c.rules[2]); },
    };
    std::vector<std::uint64_t> seen{compiled(base()).head.digest[0]};
    for (std::size_t i = 0; i < changes.size(); ++i) {
        auto config = base();
        changes[i](config);
        const auto digest = compiled(config).head.digest[0];
        EXPECT_EQ(std::count(seen.begin(), seen.end(), digest), 0) << "change " << i;
        seen.push_back(digest);
    }
}

// Without lengths in the digest, moving a value from one list to the next would not show.
TEST(PolicyDigest, ListsCannotRunIntoEachOther)
{
    auto a = base();
    a.rules[0].users = list({"1", "2"});
    auto b = base();
    b.rules[0].users = list({"1"});
    b.rules[0].groups = list({"2"});
    auto c = base();
    c.rules[0].users = list({"12"});
    EXPECT_NE(compiled(a).head.digest[0], compiled(b).head.digest[0]);
    EXPECT_NE(compiled(a).head.digest[0], compiled(c).head.digest[0]);
}

TEST(PolicyDigest, LeavesOutWhatNamesResolveTo)
{
    auto config = base();
    config.rules[0].users = list({"alice"});
    FakeResolver one;
    FakeResolver two;
    two.users["alice"] = 2000;
    EXPECT_EQ(must_compile(config, one).head.digest[0], must_compile(config, two).head.digest[0]);
    // Spellings of one address are one address.
    auto spelled = base();
    spelled.endpoints[0].addresses[1].value = "FD00:0ec2:0::254";
    EXPECT_EQ(whole(base()), whole(spelled));
}

} // namespace
} // namespace hostward::guard
