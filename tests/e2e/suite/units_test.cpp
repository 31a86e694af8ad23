// SPDX-License-Identifier: Apache-2.0
// Fresh units: the very first thing that a process born in a new cgroup does is to connect.
#include "tests/e2e/support/rows.h"

#include <unistd.h>

#include <string>

namespace hostward::e2e {
namespace {

class Units : public AttackTest {
protected:
    /// Born in the cgroup, connects; whether it got through.
    static bool connects_at_birth(const std::string& cgroup)
    {
        Launch launch = site().attack({"cgroup_move", "clone", cgroup, kImds4});
        launch.who = root();
        const auto outcome = run(launch);
        EXPECT_TRUE(outcome) << outcome.error().text;
        EXPECT_TRUE(outcome && (outcome->exit_code == 0 || outcome->exit_code == 1)) << outcome->text();
        EXPECT_TRUE(outcome && outcome->out.find("CLONE_INTO_CGROUP") == std::string::npos)
            << "this kernel cannot be born into a cgroup: " << outcome->out;
        return outcome && outcome->exit_code == 0;
    }

    /// How many of `count` fresh cgroups PREFIX<N>SUFFIX let their first process through.
    static int count_through(const std::string& prefix, const std::string& suffix, int count)
    {
        int through = 0;
        for (int number = 1; number <= count; ++number) {
            const auto cgroup = site().cgroups.make(prefix + std::to_string(number) + suffix);
            EXPECT_TRUE(cgroup) << cgroup.error().text;
            through += cgroup && connects_at_birth(*cgroup) ? 1 : 0;
        }
        return through;
    }
};

std::string policy_with_units(int exact)
{
    std::string policy = "[guard]\nmode = \"enforce\"\n[[guard.rule]]\nname = \"units\"\naction = \"allow\"\n"
                         "unit = [\"allowed.service\", \"fresh-*.service\"";
    for (int number = 1; number <= exact; ++number) {
        policy += ", \"exact-" + std::to_string(number) + ".service\"";
    }
    return policy + "]\n";
}

TEST_F(Units, AFreshUnitsFirstInstructionIsJudgedRight)
{
    const int fresh = surroundings().scaled(1000, 50);
    const int few = surroundings().scaled(40, 5);
    const Status loaded = site().guard.load(policy_with_units(few));
    ASSERT_TRUE(loaded) << loaded.error().text;
    EXPECT_EQ(count_through("system.slice/fresh-", ".service", fresh), fresh) << "some were wrongly denied";
    EXPECT_EQ(count_through("system.slice/exact-", ".service", few), few) << "some were wrongly denied";
    EXPECT_EQ(count_through("system.slice/system-deep.slice/fresh-", ".service", few), few)
        << "some were wrongly denied";
    // Names that only look alike.
    EXPECT_EQ(count_through("system.slice/other-", ".service", few), 0);
    EXPECT_EQ(count_through("system.slice/fresh-", ".scope", few), 0);
    EXPECT_EQ(count_through("system.slice/exact-", "x.service", few), 0);
    // A unit's name inside something that is no slice was made by whoever owns that something.
    EXPECT_EQ(count_through("user.slice/user@1000.service/fresh-", ".service", few), 0);
    std::printf("%d fresh units by pattern, %d by name\n", fresh, few);
}

TEST_F(Units, ARemovedUnitsNumberIsNotItsSuccessors)
{
    const int rounds = surroundings().scaled(100, 10);
    const Status loaded = site().guard.load(policy_with_units(0));
    ASSERT_TRUE(loaded) << loaded.error().text;
    for (int round = 0; round < rounds; ++round) {
        const auto allowed = site().cgroups.make("system.slice/fresh-again.service");
        ASSERT_TRUE(allowed) << allowed.error().text;
        EXPECT_TRUE(connects_at_birth(*allowed)) << "round " << round;
        ASSERT_EQ(rmdir(allowed->c_str()), 0);
        const auto denied = site().cgroups.make("system.slice/other.service");
        ASSERT_TRUE(denied) << denied.error().text;
        EXPECT_FALSE(connects_at_birth(*denied)) << "round " << round;
        ASSERT_EQ(rmdir(denied->c_str()), 0);
    }
}

TEST_F(Units, WhatAUnitMakesBelowItselfIsStillTheUnit)
{
    const Status loaded = site().guard.load(policy_with_units(0));
    ASSERT_TRUE(loaded) << loaded.error().text;
    const auto below = site().cgroups.make("system.slice/fresh-outer.service/payload");
    ASSERT_TRUE(below) << below.error().text;
    EXPECT_TRUE(connects_at_birth(*below));
}

} // namespace
} // namespace hostward::e2e
