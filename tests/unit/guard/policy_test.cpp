// SPDX-License-Identifier: Apache-2.0
// What compile() enters into the tables, and what it warns about.
#include "agent/guard/policy.h"

#include "agent/guard/decide.h"
#include "tests/unit/guard/fake_resolver.h"

#include <gtest/gtest.h>

#include <cstring>

namespace hostward::guard {
namespace {

hw_fact_key key_of(hw_fact_kind kind, std::uint64_t a, std::uint64_t b = 0)
{
    hw_fact_key key = {};
    key.kind = kind;
    key.a = a;
    key.b = b;
    return key;
}

std::uint64_t first_word(const CompiledPolicy& policy, const hw_fact_key& key)
{
    const auto found = policy.facts.find(key);
    return found == policy.facts.end() ? 0 : found->second.rules[0];
}

TEST(Policy, SwitchesReachTheHead)
{
    FakeResolver resolver;
    auto config = policy_of({});
    const auto strict = must_compile(config, resolver);
    EXPECT_EQ(strict.head.mode, HW_ENFORCE);
    EXPECT_EQ(strict.head.flags, 0U);
    config.mode = config::Mode::Audit;
    config.forwarded = config::Action::Allow;
    EXPECT_EQ(must_compile(config, resolver).head.flags, HW_HEAD_FORWARDED_ALLOW);
    config.bypass_sockets = config::Action::Allow;
    const auto open = must_compile(config, resolver);
    EXPECT_EQ(open.head.mode, HW_AUDIT);
    EXPECT_EQ(open.head.flags, HW_HEAD_FORWARDED_ALLOW | HW_HEAD_BYPASS_ALLOW);
}

TEST(Policy, LoaderFieldsStayEmpty)
{
    FakeResolver resolver;
    const auto policy = must_compile(policy_of({rule("a")}), resolver);
    EXPECT_EQ(policy.head.generation, 0U);
    EXPECT_EQ(policy.head.root_cgroup, 0U);
    EXPECT_EQ(policy.head.pid_ns, 0U);
    EXPECT_EQ(policy.head.counter[0], 0U);
}

TEST(Policy, RuleBitsFollowFileOrder)
{
    FakeResolver resolver;
    auto second = rule("second");
    second.action = config::Action::Deny;
    second.scope = config::Scope::Any;
    second.users = list({"alice", "0"});
    const auto policy = must_compile(policy_of({rule("first"), second}), resolver);
    EXPECT_EQ(policy.head.rule_count, 2U);
    EXPECT_EQ(policy.head.allow[0], 1U);
    EXPECT_EQ(policy.head.scope[0][0], 3U);
    EXPECT_EQ(policy.head.scope[1][0], 2U);
    EXPECT_EQ(first_word(policy, key_of(HW_FACT_USER, 0)), 3U);
    EXPECT_EQ(first_word(policy, key_of(HW_FACT_USER, 1000)), 2U);
    EXPECT_EQ(policy.head.any[HW_COND_USER][0], 0U);
    EXPECT_EQ(policy.head.any[HW_COND_EXE][0], 3U);
    EXPECT_EQ(policy.rule_names, (std::vector<std::string>{"first", "second"}));
    EXPECT_EQ(policy.endpoint_names, std::vector<std::string>{"imds"});
}

TEST(Policy, AddressesAreFactsAndFilterBits)
{
    FakeResolver resolver;
    const auto policy = must_compile(policy_of({rule("a")}), resolver);
    const unsigned char imds[4] = {169, 254, 169, 254};
    const auto key = endpoint_key(imds, sizeof(imds));
    ASSERT_TRUE(policy.facts.contains(key));
    EXPECT_EQ(policy.facts.at(key).rules[0], 1U);
    std::uint64_t halves[2] = {key.a, key.b};
    std::uint32_t words[4];
    std::memcpy(words, halves, sizeof(words));
    const auto bit = hw_address_hash(words[0], words[1], words[2], words[3]);
    EXPECT_EQ(policy.filter[bit / 64] >> (bit % 64) & 1, 1U);
    EXPECT_EQ(policy.head.endpoints[0].counter, HW_RULES_MAX);
    EXPECT_EQ(policy.head.endpoints[0].default_verdict, HW_DENY);
}

TEST(Policy, ProgramKeyHoldsDeviceAndGeneration)
{
    FakeResolver resolver;
    resolver.exes["/bin/a"] = file(77, 0x800010, 5);
    auto by_exe = rule("a");
    by_exe.exes = list({"/bin/a"});
    const auto policy = must_compile(policy_of({by_exe}), resolver);
    EXPECT_EQ(first_word(policy, key_of(HW_FACT_EXE, 77, std::uint64_t{0x800010} << 32 | 5)), 1U);
    EXPECT_EQ(policy.watched_files, std::vector<std::string>{"/bin/a"});
}

TEST(Policy, NamesAreAskedOnce)
{
    FakeResolver resolver;
    auto a = rule("a");
    a.users = list({"alice"});
    a.exes = list({"/bin/a", "/bin/a"});
    auto b = a;
    b.name = "b";
    const auto policy = must_compile(policy_of({a, b}), resolver);
    EXPECT_EQ(resolver.asked, 2);
    EXPECT_EQ(policy.watched_files.size(), 1U);
}

TEST(Policy, UnresolvedConditionNeverBecomesAny)
{
    FakeResolver resolver;
    auto unresolved = rule("a");
    unresolved.users = list({"nobody-yet"});
    unresolved.groups = list({"no-group"});
    unresolved.exes = list({"/missing"});
    const auto policy = must_compile(policy_of({unresolved}), resolver);
    EXPECT_EQ(policy.head.any[HW_COND_USER][0], 0U);
    EXPECT_EQ(policy.head.any[HW_COND_GROUP][0], 0U);
    EXPECT_EQ(policy.head.any[HW_COND_EXE][0], 0U);
    EXPECT_EQ(policy.head.flags, HW_HEAD_HAS_GROUPS);
    EXPECT_EQ(decide(policy, Caller{}, 0).reason, HW_REASON_DEFAULT);
    EXPECT_EQ(
        policy.warnings,
        (std::vector<std::string>{
            "p.toml:1: rule \"a\": user \"nobody-yet\" does not exist: the rule cannot match through it until it does",
            "p.toml:1: rule \"a\": group \"no-group\" does not exist: the rule cannot match through it until it does",
            "p.toml:1: rule \"a\": exe \"/missing\" does not exist: the rule cannot match through it until it does"}));
}

TEST(Policy, WarnsAboutWeakPrograms)
{
    FakeResolver resolver;
    resolver.exes["/bin/sh"] = file(1);
    resolver.exes["/bin/sh"].interpreter = true;
    auto weak = rule("a");
    weak.users = {};
    weak.exes = list({"/bin/sh"});
    const auto policy = must_compile(policy_of({weak}), resolver);
    ASSERT_EQ(policy.warnings.size(), 1U);
    EXPECT_EQ(policy.warnings[0], "p.toml:1: rule \"a\": exe \"/bin/sh\" is an interpreter and the rule's only "
                                  "condition: it matches every script that anybody runs with it");
    weak.action = config::Action::Deny;
    EXPECT_EQ(must_compile(policy_of({weak}), resolver).warnings.size(), 2U);
    weak.users = list({"0"});
    EXPECT_TRUE(must_compile(policy_of({weak}), resolver).warnings.empty());
}

TEST(Policy, SamePathIsOnePattern)
{
    FakeResolver resolver;
    auto a = rule("a");
    a.cgroups = list({"/x/y*", "/x/z", "/x/y*"});
    auto b = rule("b");
    b.cgroups = list({"/x/y*"});
    const auto policy = must_compile(policy_of({a, b}), resolver);
    EXPECT_EQ(policy.head.pattern_start, 3U);
    EXPECT_EQ(policy.head.pattern_ends[1], 3U);
    EXPECT_EQ(policy.head.pattern_rules[0][0], 3U);
    EXPECT_EQ(policy.head.pattern_rules[1][0], 1U);
    EXPECT_EQ(policy.head.shape_count, 1U);
    EXPECT_EQ(policy.head.flags, HW_HEAD_HAS_CGROUPS);
    EXPECT_EQ(policy.names.size(), 3U);
}

TEST(Policy, NameKeysHoldBothSidesOfTheStar)
{
    FakeResolver resolver;
    auto a = rule("a");
    a.units = list({"docker-*.scope", "a.service"});
    const auto policy = must_compile(policy_of({a}), resolver);
    hw_name_key glob = {};
    glob.prefix_len = 7;
    glob.suffix_len = 6;
    std::memcpy(glob.text, "docker-.scope", 13);
    EXPECT_EQ(policy.names.count(glob), 1U);
    hw_name_key exact = {};
    exact.prefix_len = 9;
    exact.exact = 1;
    std::memcpy(exact.text, "a.service", 9);
    ASSERT_EQ(policy.names.count(exact), 1U);
    EXPECT_EQ(policy.names.at(exact).unit_rules[0], 1U);
    EXPECT_EQ(policy.head.shapes[0].prefix_len, 7);
    EXPECT_EQ(policy.head.shapes[0].suffix_len, 6);
}

} // namespace
} // namespace hostward::guard
