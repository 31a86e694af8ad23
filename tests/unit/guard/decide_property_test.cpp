// SPDX-License-Identifier: Apache-2.0
// Random (policy, identity, address) triples: the tables' decision is the brute-force oracle's.
// HOSTWARD_SEED repeats a run; HOSTWARD_QUICK makes it a tenth as long.
#include "agent/base/text.h"
#include "agent/guard/decide.h"
#include "tests/bpf/oracle/oracle.h"
#include "tests/bpf/oracle/random_policy.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <random>

namespace hostward::guard {
namespace {

constexpr std::size_t kTriples = 120'000;
constexpr std::size_t kCallersPerPolicy = 240;
constexpr std::size_t kTracedEvery = 16; ///< trace() of 1,024 rules costs as much as many decisions

std::uint64_t seed()
{
    const char* given = std::getenv("HOSTWARD_SEED");
    const std::uint64_t random = (std::uint64_t{std::random_device{}()} << 32) | std::random_device{}();
    return given == nullptr ? random : parse_number<std::uint64_t>(given).value_or(0);
}

std::size_t triples() { return std::getenv("HOSTWARD_QUICK") == nullptr ? kTriples : kTriples / 10; }

/// What a run has met: a comparison that never sees a case says nothing about it.
struct Seen {
    std::array<std::size_t, HW_REASON_COUNT> reasons{};
    std::array<std::size_t, 2> rule_verdicts{};
    std::array<std::size_t, 2> default_verdicts{};
    std::size_t unguarded = 0;
    std::uint32_t highest_rule = 0;
    std::map<std::string, std::size_t> failed;

    void add(const Decision& decision)
    {
        ++reasons[decision.reason];
        if (decision.reason == HW_REASON_RULE) {
            ++rule_verdicts[decision.verdict];
            highest_rule = std::max(highest_rule, decision.rule);
        } else if (decision.reason == HW_REASON_DEFAULT) {
            ++default_verdicts[decision.verdict];
        }
    }
};

struct Trial {
    const config::GuardConfig& config;
    const test::World& world;
    const CompiledPolicy& policy;
};

std::optional<Decision> twin(const CompiledPolicy& policy, const Caller& caller, const test::Address& address)
{
    const auto endpoint = endpoint_of(policy, endpoint_key(address.data(), address.size()));
    return endpoint ? std::optional(decide(policy, caller, *endpoint)) : std::nullopt;
}

bool in_filter(const CompiledPolicy& policy, const test::Address& address)
{
    std::array<std::uint32_t, 4> words; // NOLINT: filled by the copy
    std::memcpy(words.data(), address.data(), address.size());
    const std::uint32_t bit = hw_address_hash(words[0], words[1], words[2], words[3]);
    return (policy.filter[bit / 64] >> (bit % 64) & 1) != 0;
}

void compare_trace(const Trial& trial, const Caller& caller, std::uint32_t endpoint, const Decision& decision,
                   Seen& seen)
{
    const auto steps = trace(trial.policy, caller, endpoint);
    const bool asked = decision.reason == HW_REASON_RULE || decision.reason == HW_REASON_DEFAULT;
    const std::size_t expected = decision.rule == HW_NO_RULE ? trial.config.rules.size() : decision.rule + 1;
    ASSERT_EQ(steps.size(), asked ? expected : 0);
    for (std::uint32_t i = 0; i < steps.size(); ++i) {
        const auto failed = test::oracle_failed(trial.config, trial.world, trial.config.rules[i], caller, endpoint);
        ASSERT_EQ(steps[i].rule, i);
        ASSERT_EQ(steps[i].failed, failed) << "rule " << i;
        ASSERT_EQ(steps[i].matched, failed.empty()) << "rule " << i;
        ++seen.failed[failed];
    }
}

void compare(const Trial& trial, const Caller& caller, const std::string& text, bool traced, Seen& seen)
{
    const auto address = test::address_of(text);
    const auto expected = test::oracle_decide(trial.config, trial.world, caller, address);
    const auto got = twin(trial.policy, caller, address);
    ASSERT_EQ(got.has_value(), expected.has_value()) << text;
    if (!expected) {
        ++seen.unguarded;
        return;
    }
    ASSERT_TRUE(in_filter(trial.policy, address)) << text;
    ASSERT_EQ(got->verdict, expected->verdict) << text << " uid " << caller.uid << " in " << caller.cgroup_path;
    ASSERT_EQ(got->reason, expected->reason);
    ASSERT_EQ(got->rule, expected->rule);
    seen.add(*got);
    if (traced) {
        compare_trace(trial, caller, *test::oracle_endpoint(trial.config, address), *got, seen);
    }
}

std::size_t random_size(test::Rng& rng)
{
    static const std::array<std::size_t, 6> kEdges{0, 1, 63, 64, 65, HW_RULES_MAX};
    return rng.one_in(4) ? rng.pick(kEdges) : rng.one_in(8) ? rng.below(HW_RULES_MAX) : rng.below(40);
}

void expect_all_met(const Seen& seen)
{
    for (const auto reason : {HW_REASON_RULE, HW_REASON_DEFAULT, HW_REASON_GROUPS_OVERFLOW, HW_REASON_CGROUP_DEPTH,
                              HW_REASON_KERNEL_THREAD}) {
        EXPECT_GT(seen.reasons[reason], 10U) << "reason " << reason;
    }
    for (const auto* counts : {&seen.rule_verdicts, &seen.default_verdicts}) {
        EXPECT_GT((*counts)[HW_DENY], 100U);
        EXPECT_GT((*counts)[HW_ALLOW], 100U);
    }
    EXPECT_GT(seen.unguarded, 100U);
    EXPECT_GT(seen.highest_rule, 600U);
    for (const char* condition : {"", "endpoint", "scope", "user", "group", "exe", "cgroup"}) {
        EXPECT_TRUE(seen.failed.contains(condition)) << condition;
    }
}

TEST(DecideProperty, AgreesWithTheOracle)
{
    const std::uint64_t used_seed = seed();
    std::cout << "seed: HOSTWARD_SEED=" << used_seed << "\n";
    test::Rng rng(used_seed);
    Seen seen;
    std::size_t done = 0;
    for (std::size_t round = 0; done < triples(); ++round) {
        test::World world = test::random_world(rng);
        const auto config = round % 8 == 0 ? test::random_config(rng, world, HW_RULES_MAX, test::Width::Narrow)
                                           : test::random_config(rng, world, random_size(rng));
        const auto policy = compile(config, world);
        ASSERT_TRUE(policy.ok()) << policy.error().text;
        for (std::size_t i = 0; i < kCallersPerPolicy; ++i, ++done) {
            const auto caller = test::random_caller(rng, world, config);
            compare({config, world, *policy}, caller, test::random_address(rng, config), done % kTracedEvery == 0,
                    seen);
            ASSERT_FALSE(testing::Test::HasFatalFailure()) << "policy " << round << ", caller " << i;
        }
    }
    std::cout << "triples: " << done << ", by a rule: " << seen.reasons[HW_REASON_RULE]
              << ", highest rule: " << seen.highest_rule << "\n";
    expect_all_met(seen);
}

} // namespace
} // namespace hostward::guard
