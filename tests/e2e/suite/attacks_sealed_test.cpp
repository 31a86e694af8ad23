// SPDX-License-Identifier: Apache-2.0
// The rows against the guard itself once it is sealed: now root is stopped, too. A seal lasts until the next
// boot, so this runs only in a virtual machine, in a boot of its own.
#include "tests/e2e/support/rows.h"

namespace hostward::e2e {
namespace {

constexpr int kRefusedBySeal = 6;

class SealedAttacks : public AttackTest {
protected:
    void TearDown() override {} // the seal refuses to unload: that is what is tested
};

Outcome by_root(Site& site, const std::vector<std::string>& argv)
{
    Launch launch = site.attack(argv);
    launch.who = root();
    site.network.imds().reset();
    const auto outcome = run(launch);
    EXPECT_TRUE(outcome) << outcome.error().text;
    return outcome ? *outcome : Outcome{};
}

TEST_F(SealedAttacks, RootCannotUndoASealedGuard)
{
    if (!surroundings().is_vm) {
        GTEST_SKIP() << "a seal lasts until reboot: only in a virtual machine of its own";
    }
    std::string policy = kOnlyAllowedUnit;
    policy.replace(policy.find("mode ="), 0, "seal = \"until-reboot\"\n");
    const Status loaded = site().guard.load(policy);
    if (!loaded) {
        GTEST_SKIP() << "this kernel cannot seal: " << loaded.error().text;
    }
    const auto status = site().guard.status();
    ASSERT_TRUE(status) << status.error().text;
    if (!status->is_sealed) {
        GTEST_SKIP() << "this kernel cannot seal: " << status->layers.at("lsm");
    }
    const std::string cgroup = site().cgroups.path();
    const std::vector<std::pair<std::string, std::vector<std::string>>> rows{
        {"link-detach", {"tamper", "detach", cgroup, kImds4}},
        {"pin-delete", {"tamper", "unpin", site().guard.pins(), kImds4}},
        {"map-write", {"tamper", "map", cgroup, kImds4}}};
    for (const auto& [id, argv] : rows) {
        const Outcome outcome = by_root(site(), argv);
        EXPECT_EQ(outcome.exit_code, 1) << id << ": " << outcome.text();
        EXPECT_EQ(site().network.imds().arrivals(), 0U) << id;
        const auto row = status->rows.find(id);
        ASSERT_NE(row, status->rows.end()) << status->text;
        EXPECT_TRUE(row->second.is_closed) << id << ": " << row->second.why;
    }
    const auto unload = site().guard.command({"unload"});
    ASSERT_TRUE(unload) << unload.error().text;
    EXPECT_EQ(unload->exit_code, kRefusedBySeal) << unload->text();
    const Outcome still = by_root(site(), {"tcp", kImds4});
    EXPECT_EQ(still.exit_code, 1) << still.text();
    const auto control = allowed_unit().run();
    ASSERT_TRUE(control) << control.error().text;
    EXPECT_EQ(control->exit_code, 0) << control->text();
}

} // namespace
} // namespace hostward::e2e
