// SPDX-License-Identifier: Apache-2.0
// Rows against the guard itself. An unprivileged user must never succeed; root may, unless the guard is sealed,
// which tests/e2e/suite/attacks_sealed_test.cpp looks at.
#include "tests/e2e/support/rows.h"

#include <optional>

namespace hostward::e2e {
namespace {

class GuardAttacks : public AttackTest {
protected:
    void TearDown() override { renew_site(); }

    /// The attack by nobody, then by root: in this order, for root's may leave no guard.
    static std::vector<Attempt> by_both(const std::vector<std::string>& argv)
    {
        Launch as_root = site().attack(argv);
        as_root.who = root();
        return {attempt("nobody", site().attack(argv)), attempt("root", as_root)};
    }

    static void expect_nobody_is_stopped(const std::vector<std::string>& argv);
};

/// Whatever root may do, an unprivileged user is stopped: the row's `open` must never mean nobody.
void GuardAttacks::expect_nobody_is_stopped(const std::vector<std::string>& argv)
{
    const Status loaded = site().guard.load(kOnlyAllowedUnit);
    ASSERT_TRUE(loaded) << loaded.error().text;
    site().network.imds().reset();
    const auto outcome = run(site().attack(argv));
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->exit_code, 1) << outcome->text();
    EXPECT_EQ(site().network.imds().arrivals(), 0U) << site().network.imds().text();
    take_down();
}

TEST_F(GuardAttacks, LinkDetach)
{
    const std::vector<std::string> argv{"tamper", "detach", site().cgroups.path(), kImds4};
    ASSERT_NO_FATAL_FAILURE(expect_nobody_is_stopped(argv));
    check_row({"link-detach", kOnlyAllowedUnit, by_both(argv), allowed_unit(), {}});
}

TEST_F(GuardAttacks, PinDelete)
{
    const std::vector<std::string> argv{"tamper", "unpin", site().guard.pins(), kImds4};
    ASSERT_NO_FATAL_FAILURE(expect_nobody_is_stopped(argv));
    check_row({"pin-delete", kOnlyAllowedUnit, by_both(argv), allowed_unit(), {}});
}

TEST_F(GuardAttacks, MapWrite)
{
    const std::vector<std::string> argv{"tamper", "map", site().cgroups.path(), kImds4};
    ASSERT_NO_FATAL_FAILURE(expect_nobody_is_stopped(argv));
    check_row({"map-write", kOnlyAllowedUnit, by_both(argv), allowed_unit(), {}});
}

TEST_F(GuardAttacks, AgentKill)
{
    std::optional<Child> agent;
    // Before the guard comes there is nothing to kill but a bystander.
    const auto bystander = Child::start(site().as_allowed({"tcp", "--idle", "long"}));
    ASSERT_TRUE(bystander) << bystander.error().text;
    const auto kill_as = [&](const Identity& who) {
        const pid_t victim = agent ? agent->pid() : bystander->pid();
        Launch launch = site().attack({"tamper", "kill", std::to_string(victim), kImds4});
        launch.who = who;
        return run(launch);
    };
    Row row{"agent-kill",
            kOnlyAllowedUnit,
            {{"nobody", [&] { return kill_as(nobody()); }, {}}, {"root", [&] { return kill_as(root()); }, {}}},
            allowed_unit(),
            {}};
    row.on_loaded = [&]() -> Status {
        TRY_ASSIGN(Child started, site().guard.start_agent(kOnlyAllowedUnit));
        agent.emplace(std::move(started));
        return success();
    };
    check_row(row);
    ASSERT_TRUE(agent);
    const Outcome end = agent->finish(Milliseconds(1000));
    EXPECT_EQ(end.signal, 9) << "the agent was not killed: " << end.text();
}

} // namespace
} // namespace hostward::e2e
