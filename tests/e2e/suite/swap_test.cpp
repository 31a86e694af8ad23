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

/// One user of its own, then the rule that both policies have: at the same place, yet after other rules.
std::string policy_for(uid_t own)
{
    return "[guard]\nmode = \"enforce\"\n"
           "[[guard.rule]]\nname = \"own\"\naction = \"allow\"\nuser = [\"" +
           std::to_string(own) +
           "\"]\n"
           "[[guard.rule]]\nname = \"common\"\naction = \"allow\"\nuser = [\"0\"]\nunit = [\"allowed.service\"]\n";
}

class Swap : public AttackTest {
protected:
    static Launch by(uid_t uid)
    {
        Launch launch = site().attack({"hammer"});
        launch.who = user(uid);
        return launch;
    }
    static Launch by_allowed() { return site().as_allowed({"hammer"}); }

    /// The agent has taken over the policy it was told to read again.
    static void await_generation(std::uint64_t after)
    {
        for (int attempt = 0; attempt < 600; ++attempt) {
            const auto status = site().guard.status();
            ASSERT_TRUE(status) << status.error().text;
            if (status->generation > after) {
                return;
            }
            (void)usleep(10'000);
        }
        FAIL() << "the generation did not pass " << after;
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

TEST_F(Swap, EveryDecisionIsOneOfTheOldOrTheNewPolicy)
{
    const int swaps = surroundings().scaled(1000, 50);
    ASSERT_TRUE(site().guard.load(policy_for(kOnlyInA)));
    auto common = start_hammer(by_allowed());
    auto in_a = start_hammer(by(kOnlyInA));
    auto in_b = start_hammer(by(kOnlyInB));
    auto never = start_hammer(by(kNobody));
    ASSERT_TRUE(common && in_a && in_b && never);
    for (int swap = 1; swap <= swaps; ++swap) {
        const Status loaded = site().guard.load(policy_for(swap % 2 == 1 ? kOnlyInB : kOnlyInA));
        ASSERT_TRUE(loaded) << "swap " << swap << ": " << loaded.error().text;
    }
    const auto always = finish_hammer(*common);
    const auto sometimes_a = finish_hammer(*in_a);
    const auto sometimes_b = finish_hammer(*in_b);
    const auto denied = finish_hammer(*never);
    ASSERT_TRUE(always && sometimes_a && sometimes_b && denied);
    std::printf("%d swaps\n  allowed by both: %s\n  by one: %s\n  by the other: %s\n  by none: %s\n", swaps,
                always->text.c_str(), sometimes_a->text.c_str(), sometimes_b->text.c_str(), denied->text.c_str());
    expect_constant(*denied, *always);
    for (const auto* tally : {&*sometimes_a, &*sometimes_b}) {
        EXPECT_GT(tally->allowed, 0U) << tally->text;
        EXPECT_GT(tally->denied, 0U) << tally->text;
    }
}

TEST_F(Swap, TheRunningAgentReloads)
{
    auto agent = site().guard.start_agent(policy_for(kOnlyInA));
    ASSERT_TRUE(agent) << agent.error().text;
    auto always = start_hammer(by_allowed());
    auto never = start_hammer(by(kNobody));
    ASSERT_TRUE(always && never);
    const int reloads = surroundings().scaled(50, 10);
    for (int reload = 1; reload <= reloads; ++reload) {
        const auto before = site().guard.status();
        ASSERT_TRUE(before) << before.error().text;
        ASSERT_TRUE(site().guard.write_policy(policy_for(reload % 2 == 1 ? kOnlyInB : kOnlyInA)));
        agent->signal(SIGHUP);
        ASSERT_NO_FATAL_FAILURE(await_generation(before->generation));
    }
    const auto allowed = finish_hammer(*always);
    const auto denied = finish_hammer(*never);
    ASSERT_TRUE(allowed && denied);
    std::printf("%d reloads\n  allowed: %s\n  denied: %s\n", reloads, allowed->text.c_str(), denied->text.c_str());
    expect_constant(*denied, *allowed);
    agent->signal(SIGTERM);
    const Outcome end = agent->finish(Milliseconds(30'000));
    EXPECT_EQ(end.exit_code, 0) << end.text();
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
