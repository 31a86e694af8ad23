// SPDX-License-Identifier: Apache-2.0
// Random (policy, identity, address) triples: the kernel's verdict, the user-space twin's and the brute-force
// oracle's agree. HOSTWARD_SEED repeats a run; HOSTWARD_QUICK and HOSTWARD_VM make it shorter and say so.
#include "agent/base/text.h"
#include "tests/bpf/kernel_decider.h"
#include "tests/bpf/oracle/oracle.h"
#include "tests/bpf/oracle/random_policy.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <random>

namespace hostward::test {
namespace {

constexpr std::size_t kTriples = 100'000;
constexpr std::size_t kTriplesShort = 10'000;
constexpr std::size_t kCallersPerPolicy = 500;

std::uint64_t seed()
{
    const char* given = std::getenv("HOSTWARD_SEED");
    return given == nullptr ? std::random_device{}() : parse_number<std::uint64_t>(given).value_or(0);
}

std::size_t triples()
{
    const bool is_short = std::getenv("HOSTWARD_QUICK") != nullptr || std::getenv("HOSTWARD_VM") != nullptr;
    return is_short ? kTriplesShort : kTriples;
}

struct Trial {
    const config::GuardConfig& config;
    const World& world;
    const guard::CompiledPolicy& policy;
};

/// What a run has met: a comparison that never sees a case says nothing about it.
using Seen = std::array<std::size_t, HW_REASON_COUNT>;

void compare(KernelDecider& kernel, const Trial& trial, const guard::Caller& caller, const std::string& text,
             Seen& seen)
{
    const Address address = address_of(text);
    const auto oracle = oracle_decide(trial.config, trial.world, caller, address);
    const auto endpoint = guard::endpoint_of(trial.policy, guard::endpoint_key(address.data(), address.size()));
    const auto answer = kernel.decide(caller, text);
    ASSERT_TRUE(answer.ok()) << answer.error().text;
    ASSERT_EQ(answer->has_value(), oracle.has_value()) << text;
    ASSERT_EQ(endpoint.has_value(), oracle.has_value()) << text;
    if (!oracle) {
        return;
    }
    const auto twin = guard::decide(trial.policy, caller, *endpoint);
    for (const auto& decision : {**answer, twin}) {
        ASSERT_EQ(decision.reason, oracle->reason) << caller.cgroup_path << " " << caller.groups.size();
        ASSERT_EQ(decision.rule, oracle->rule) << caller.cgroup_path;
        ASSERT_EQ(decision.verdict, oracle->verdict) << caller.cgroup_path;
    }
    ++seen[oracle->reason];
}

std::size_t random_size(Rng& rng)
{
    static const std::array<std::size_t, 6> kEdges{0, 1, 63, 64, 65, HW_RULES_MAX};
    return rng.one_in(4) ? rng.pick(kEdges) : rng.below(40);
}

void compare_policy(KernelDecider& kernel, Rng& rng, Seen& seen)
{
    World world = random_world(rng);
    const auto width = rng.one_in(2) ? Width::Mixed : Width::Narrow;
    const auto config = random_config(rng, world, random_size(rng), width);
    const auto policy = guard::compile(config, world);
    ASSERT_TRUE(policy.ok()) << policy.error().text;
    const auto installed = kernel.install(*policy);
    ASSERT_TRUE(installed.ok()) << installed.error().text;
    for (std::size_t i = 0; i < kCallersPerPolicy; ++i) {
        const auto caller = random_caller(rng, world, config);
        compare(kernel, {config, world, *policy}, caller, random_address(rng, config), seen);
        if (::testing::Test::HasFatalFailure()) {
            return;
        }
    }
}

TEST(Decide, KernelTwinAndOracleAgree)
{
    auto kernel = KernelDecider::create();
    ASSERT_TRUE(kernel.ok()) << kernel.error().text;
    const std::uint64_t used_seed = seed();
    std::cout << "seed: HOSTWARD_SEED=" << used_seed << ", " << triples() << " triples\n";
    Rng rng(used_seed);
    Seen seen{};
    for (std::size_t done = 0; done < triples(); done += kCallersPerPolicy) {
        compare_policy(*kernel, rng, seen);
        ASSERT_FALSE(HasFatalFailure()) << "HOSTWARD_SEED=" << used_seed << " after " << done;
    }
    for (const auto reason : {HW_REASON_RULE, HW_REASON_DEFAULT, HW_REASON_GROUPS_OVERFLOW, HW_REASON_CGROUP_DEPTH,
                              HW_REASON_KERNEL_THREAD}) {
        EXPECT_GT(seen.at(reason), 10U) << "reason " << reason;
    }
}

} // namespace
} // namespace hostward::test
