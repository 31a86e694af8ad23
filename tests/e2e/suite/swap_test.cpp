// SPDX-License-Identifier: Apache-2.0
// Time: while the policy changes, the agent restarts, dies or is given nonsense, every single decision is one
// that the old or the new policy would give.
#include "tests/e2e/suite/tally.h"
#include "tests/e2e/support/rows.h"

#include <unistd.h>

#include <csignal>
#include <string>

namespace hostward::e2e {
namespace {

constexpr uid_t kOnlyInA = 1001;
constexpr uid_t kOnlyInB = 1002;
constexpr std::uint64_t kDenialLimitUs = 1000;
constexpr std::uint64_t kDenialLimitEmulatedUs = 20'000;

constexpr uid_t kLast = 1003;

std::string allow(const std::string& name, uid_t uid)
{
    return "[[guard.rule]]\nname = \"" + name + "\"\naction = \"allow\"\nuser = [\"" + std::to_string(uid) + "\"]\n";
}

/// Three rules: root in the allowed unit, a user of this policy alone, and kLast. Both policies allow the first and
/// the last, but before the last something changes.
std::string policy_for(uid_t own) { return kOnlyAllowedUnit + allow("own", own) + allow("last", kLast); }

class Swap : public AttackTest {
protected:
    static Launch by(uid_t uid)
    {
        Launch launch = site().attack({"hammer"});
        launch.who = user(uid);
        return launch;
    }
    static Launch by_allowed() { return site().as_allowed({"hammer"}); }

    /// Gives the running agent another policy and waits until it says that it is in force.
    static void reload(Child& agent, std::uint64_t generation, const std::string& policy)
    {
        const Status written = site().guard.write_policy(policy);
        ASSERT_TRUE(written) << written.error().text;
        agent.signal(SIGHUP);
        const auto line =
            agent.await_line("policy generation " + std::to_string(generation) + " ", Milliseconds(30'000), true);
        ASSERT_TRUE(line) << line.error().text;
    }
};

/// Who may never, who may always; both without a single exception.
void expect_constant(const Tally& denied, const Tally& allowed)
{
    EXPECT_EQ(denied.allowed, 0U) << denied.text;
    EXPECT_EQ(denied.other, 0U) << denied.text;
    EXPECT_GT(denied.denied, 0U) << denied.text;
    EXPECT_EQ(allowed.denied, 0U) << allowed.text;
    EXPECT_EQ(allowed.other, 0U) << allowed.text;
    EXPECT_GT(allowed.allowed, 0U) << allowed.text;
}

/// Both policies allow it, by a rule behind one that changes. It is never denied. What it may see is the end of a
/// connection that was being made at the moment of a swap: at once, so that it connects again.
void expect_interrupted_at_most(std::uint64_t swaps, const Tally& tally)
{
    EXPECT_EQ(tally.denied, 0U) << tally.text;
    EXPECT_GT(tally.allowed, 0U) << tally.text;
    EXPECT_LE(tally.other, swaps) << tally.text;
    EXPECT_TRUE(tally.other == 0 || tally.text.find("other_errno=ECONNABORTED") != std::string::npos) << tally.text;
}

TEST_F(Swap, EveryDecisionIsOneOfTheOldOrTheNewPolicy)
{
    const int swaps = surroundings().scaled(1000, 50);
    auto agent = site().guard.start_agent(policy_for(kOnlyInA));
    ASSERT_TRUE(agent) << agent.error().text;
    const auto before = site().guard.status();
    ASSERT_TRUE(before) << before.error().text;
    auto common = start_hammer(by_allowed());
    auto last = start_hammer(by(kLast));
    auto in_a = start_hammer(by(kOnlyInA));
    auto in_b = start_hammer(by(kOnlyInB));
    auto never = start_hammer(by(kNobody));
    ASSERT_TRUE(common && last && in_a && in_b && never);
    for (int swap = 1; swap <= swaps; ++swap) {
        const std::uint64_t generation = before->generation + static_cast<std::uint64_t>(swap);
        ASSERT_NO_FATAL_FAILURE(reload(*agent, generation, policy_for(swap % 2 == 1 ? kOnlyInB : kOnlyInA)));
    }
    const auto always = finish_hammer(*common);
    const auto behind = finish_hammer(*last);
    const auto sometimes_a = finish_hammer(*in_a);
    const auto sometimes_b = finish_hammer(*in_b);
    const auto denied = finish_hammer(*never);
    ASSERT_TRUE(always && behind && sometimes_a && sometimes_b && denied);
    std::printf("%d swaps\n  allowed by both: %s\n  allowed by both, behind a change: %s\n  by one: %s\n"
                "  by the other: %s\n  by none: %s\n",
                swaps, always->text.c_str(), behind->text.c_str(), sometimes_a->text.c_str(), sometimes_b->text.c_str(),
                denied->text.c_str());
    expect_interrupted_at_most(static_cast<std::uint64_t>(swaps), *behind);
    expect_constant(*denied, *always);
    for (const auto* tally : {&*sometimes_a, &*sometimes_b}) {
        EXPECT_GT(tally->allowed, 0U) << tally->text;
        EXPECT_GT(tally->denied, 0U) << tally->text;
    }
    agent->signal(SIGTERM);
    const Outcome end = agent->finish(Milliseconds(30'000));
    EXPECT_EQ(end.exit_code, 0) << end.text();
}

TEST_F(Swap, ALoadReplacesThePolicyInOneStep)
{
    ASSERT_TRUE(site().guard.load(policy_for(kOnlyInA)));
    auto always = start_hammer(by_allowed());
    auto never = start_hammer(by(kNobody));
    ASSERT_TRUE(always && never);
    const int loads = surroundings().scaled(20, 4);
    for (int load = 1; load <= loads; ++load) {
        const Status loaded = site().guard.load(policy_for(load % 2 == 1 ? kOnlyInB : kOnlyInA));
        ASSERT_TRUE(loaded) << loaded.error().text;
    }
    const auto allowed = finish_hammer(*always);
    const auto denied = finish_hammer(*never);
    ASSERT_TRUE(allowed && denied);
    std::printf("%d loads\n  allowed: %s\n  denied: %s\n", loads, allowed->text.c_str(), denied->text.c_str());
    expect_constant(*denied, *allowed);
}

TEST_F(Swap, NoWindowWhileTheAgentComesAndGoes)
{
    ASSERT_TRUE(site().guard.load(kOnlyAllowedUnit));
    auto always = start_hammer(by_allowed());
    auto never = start_hammer(by(kNobody));
    ASSERT_TRUE(always && never);
    const int rounds = surroundings().scaled(10, 2);
    for (int round = 0; round < rounds; ++round) {
        for (const int end : {SIGTERM, SIGKILL}) {
            auto agent = site().guard.start_agent(kOnlyAllowedUnit);
            ASSERT_TRUE(agent) << agent.error().text;
            agent->signal(end);
            const Outcome outcome = agent->finish(Milliseconds(30'000));
            EXPECT_FALSE(outcome.is_timed_out) << outcome.text();
        }
        const Status loaded = site().guard.load(kOnlyAllowedUnit);
        ASSERT_TRUE(loaded) << loaded.error().text;
    }
    const auto allowed = finish_hammer(*always);
    const auto denied = finish_hammer(*never);
    ASSERT_TRUE(allowed && denied);
    std::printf("%d rounds\n  allowed: %s\n  denied: %s\n", rounds, allowed->text.c_str(), denied->text.c_str());
    expect_constant(*denied, *allowed);
}

TEST_F(Swap, ALoaderKilledAnywhereLeavesTheOldOrTheNewPolicy)
{
    ASSERT_TRUE(site().guard.load(policy_for(kOnlyInA)));
    auto always = start_hammer(by_allowed());
    auto never = start_hammer(by(kNobody));
    ASSERT_TRUE(always && never);
    const int kills = surroundings().scaled(60, 10);
    const int step_us = surroundings().scaled(2000, 100'000);
    for (int round = 0; round < kills; ++round) {
        ASSERT_TRUE(site().guard.write_policy(policy_for(round % 2 == 0 ? kOnlyInB : kOnlyInA)));
        auto loader = Child::start(site().guard.launch({"load"}));
        ASSERT_TRUE(loader) << loader.error().text;
        (void)usleep(static_cast<useconds_t>(round * step_us));
        loader->signal(SIGKILL);
        (void)loader->finish(Milliseconds(10'000)); // either it was done or it was killed
    }
    const Status loaded = site().guard.load(policy_for(kOnlyInA));
    EXPECT_TRUE(loaded) << "after the kills: " << loaded.error().text;
    const auto allowed = finish_hammer(*always);
    const auto denied = finish_hammer(*never);
    ASSERT_TRUE(allowed && denied);
    std::printf("%d kills\n  allowed: %s\n  denied: %s\n", kills, allowed->text.c_str(), denied->text.c_str());
    expect_constant(*denied, *allowed);
}

TEST_F(Swap, ABadPolicyChangesNothing)
{
    ASSERT_TRUE(site().guard.load(kOnlyAllowedUnit));
    auto always = start_hammer(by_allowed());
    auto never = start_hammer(by(kNobody));
    ASSERT_TRUE(always && never);
    const auto before = site().guard.status();
    ASSERT_TRUE(before) << before.error().text;
    for (const char* bad :
         {"[guard\n", "[guard]\nmode = \"sometimes\"\n", "[[guard.rule]]\nname = \"x\"\naction = \"allow\"\n",
          "[guard]\nunknown = 1\n", "\xff\xfe"}) {
        ASSERT_TRUE(site().guard.write_policy(bad));
        const auto outcome = site().guard.command({"load"});
        ASSERT_TRUE(outcome) << outcome.error().text;
        EXPECT_EQ(outcome->exit_code, 3) << bad << outcome->text();
    }
    const auto after = site().guard.status();
    ASSERT_TRUE(after) << after.error().text;
    EXPECT_EQ(after->generation, before->generation);
    EXPECT_EQ(after->digest, before->digest);
    const auto allowed = finish_hammer(*always);
    const auto denied = finish_hammer(*never);
    ASSERT_TRUE(allowed && denied);
    expect_constant(*denied, *allowed);
}

TEST_F(Swap, ARunningAgentSurvivesABadPolicy)
{
    auto agent = site().guard.start_agent(kOnlyAllowedUnit);
    ASSERT_TRUE(agent) << agent.error().text;
    auto always = start_hammer(by_allowed());
    auto never = start_hammer(by(kNobody));
    ASSERT_TRUE(always && never);
    const auto before = site().guard.status();
    ASSERT_TRUE(before) << before.error().text;
    ASSERT_TRUE(site().guard.write_policy("[guard]\nunknown = 1\n"));
    agent->signal(SIGHUP);
    const auto complaint = agent->await_line("unknown", Milliseconds(10'000), true);
    EXPECT_TRUE(complaint) << complaint.error().text;
    const auto after = site().guard.status();
    ASSERT_TRUE(after) << after.error().text;
    EXPECT_EQ(after->generation, before->generation);
    EXPECT_TRUE(after->is_agent_running) << after->text;
    const auto allowed = finish_hammer(*always);
    const auto denied = finish_hammer(*never);
    ASSERT_TRUE(allowed && denied);
    expect_constant(*denied, *allowed);
}

TEST_F(Swap, ADenialTakesLessThanAMillisecond)
{
    ASSERT_TRUE(site().guard.load(kOnlyAllowedUnit));
    const std::string count = std::to_string(surroundings().scaled(1000, 200));
    const std::uint64_t limit = surroundings().is_vm ? kDenialLimitEmulatedUs : kDenialLimitUs;
    for (const char* address : {kImds4, kImds6}) {
        const auto outcome = run(site().attack({"hammer", "tcp", address, count, "1"}));
        ASSERT_TRUE(outcome) << outcome.error().text;
        const auto tally = tally_of(*outcome);
        ASSERT_TRUE(tally) << tally.error().text;
        std::printf("  %s: %s\n", address, tally->text.c_str());
        EXPECT_EQ(std::to_string(tally->denied), count) << tally->text;
        EXPECT_LT(tally->median_us, limit) << tally->text;
        // One bad moment of the scheduler is no defect; a hang until a timeout is.
        EXPECT_LT(tally->max_us, limit * 500) << tally->text;
    }
}

} // namespace
} // namespace hostward::e2e
