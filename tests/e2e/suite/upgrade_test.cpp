// SPDX-License-Identifier: Apache-2.0
// An upgrade: the next loader carries other programs for the same maps and puts them in the place of the old ones.
// What tells builds apart is a digest in the "about" map, so the test makes the loaded build look like another.
#include "ebpf/abi/guard.h"
#include "tests/e2e/suite/tally.h"
#include "tests/e2e/support/rows.h"

#include <bpf/bpf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>

namespace hostward::e2e {
namespace {

class Upgrade : public AttackTest {
protected:
    static std::string pin(const std::string& name)
    {
        return site().guard.pins() + "/v" + std::to_string(HW_ABI_VERSION) + "/" + name;
    }

    static void pretend_another_build()
    {
        const UniqueFd about(::bpf_obj_get(pin("map_about").c_str()));
        const std::uint32_t zero = 0;
        hw_about value{};
        ASSERT_EQ(::bpf_map_lookup_elem(about.get(), &zero, &value), 0);
        ++value.build;
        ASSERT_EQ(::bpf_map_update_elem(about.get(), &zero, &value, BPF_ANY), 0);
    }

    static constexpr std::array<const char*, 5> kCgroupLinks{"connect4", "connect6", "sendmsg4", "sendmsg6", "egress"};
    static constexpr std::array<const char*, 5> kSecurityLinks{"socket_create", "setsockopt", "ptrace", "exec",
                                                               "file_receive"};

    /// Each of the links that exists, by name: its id and that of the program behind it.
    static std::map<std::string, std::pair<std::uint32_t, std::uint32_t>>
    attached(const std::array<const char*, 5>& names)
    {
        std::map<std::string, std::pair<std::uint32_t, std::uint32_t>> found;
        for (const char* name : names) {
            const UniqueFd link(::bpf_obj_get(pin(std::string("link_guard_") + name).c_str()));
            bpf_link_info info{};
            std::uint32_t size = sizeof(info);
            if (::bpf_obj_get_info_by_fd(link.get(), &info, &size) == 0) {
                found[name] = {info.id, info.prog_id};
            }
        }
        return found;
    }
};

TEST_F(Upgrade, AnotherBuildTakesOverInPlace)
{
    ASSERT_TRUE(site().guard.load(kOnlyAllowedUnit));
    auto always = start_hammer(site().as_allowed({"hammer"}));
    Launch nobody = site().attack({"hammer"});
    nobody.who = user(kNobody);
    auto never = start_hammer(nobody);
    ASSERT_TRUE(always && never);
    const int upgrades = surroundings().scaled(10, 2);
    for (int i = 0; i < upgrades; ++i) {
        const auto before = attached(kCgroupLinks);
        ASSERT_EQ(before.size(), 5U);
        pretend_another_build();
        const Status loaded = site().guard.load(kOnlyAllowedUnit);
        ASSERT_TRUE(loaded) << loaded.error().text;
        const auto after = attached(kCgroupLinks);
        for (const auto& [name, ids] : before) {
            EXPECT_EQ(after.at(name).first, ids.first) << name << ": the link is another";
            EXPECT_NE(after.at(name).second, ids.second) << name << ": the program is the old one";
        }
    }
    const auto allowed = finish_hammer(*always);
    const auto denied = finish_hammer(*never);
    ASSERT_TRUE(allowed && denied);
    EXPECT_EQ(denied->allowed, 0U) << denied->text;
    EXPECT_EQ(denied->other, 0U) << denied->text;
    EXPECT_GT(denied->denied, 0U) << denied->text;
    EXPECT_EQ(allowed->denied, 0U) << allowed->text;
    EXPECT_EQ(allowed->other, 0U) << allowed->text;
    EXPECT_GT(allowed->allowed, 0U) << allowed->text;
}

TEST_F(Upgrade, TheSameBuildIsLeftAsItIs)
{
    ASSERT_TRUE(site().guard.load(kOnlyAllowedUnit));
    const auto before = attached(kCgroupLinks);
    const auto security = attached(kSecurityLinks); // as many as this kernel takes
    ASSERT_EQ(before.size(), 5U);
    ASSERT_TRUE(site().guard.load(kOnlyAllowedUnit));
    EXPECT_EQ(attached(kCgroupLinks), before);
    EXPECT_EQ(attached(kSecurityLinks), security) << "attaching a security hook again patches the kernel for nothing";
}

TEST_F(Upgrade, AnotherVersionOfTheStructuresTakesOverBeside)
{
    ASSERT_TRUE(site().guard.load(kOnlyAllowedUnit));
    const auto before = attached(kCgroupLinks);
    const std::string current = site().guard.pins() + "/v" + std::to_string(HW_ABI_VERSION);
    const std::string old = site().guard.pins() + "/v0";
    ASSERT_EQ(::rename(current.c_str(), old.c_str()), 0); // as if another version had made it
    auto never = start_hammer(site().attack({"hammer"}));
    ASSERT_TRUE(never);
    const Status loaded = site().guard.load(kOnlyAllowedUnit);
    ASSERT_TRUE(loaded) << loaded.error().text;
    const auto denied = finish_hammer(*never);
    ASSERT_TRUE(denied);
    EXPECT_EQ(denied->allowed + denied->other, 0U) << denied->text;
    EXPECT_GT(denied->denied, 0U) << denied->text;
    EXPECT_NE(::access(old.c_str(), F_OK), 0) << "the old set is still there";
    const auto after = attached(kCgroupLinks);
    ASSERT_EQ(after.size(), before.size());
    for (const auto& [name, ids] : before) {
        EXPECT_NE(after.at(name).first, ids.first) << name << ": the link is the old one";
    }
    const auto allowed = run(site().as_allowed({"tcp", kImds4}));
    ASSERT_TRUE(allowed);
    EXPECT_EQ(allowed->exit_code, 0) << allowed->text();
}

TEST_F(Upgrade, AFirstLoadThatFailsHalfWayLeavesNothing)
{
    const std::string current = site().guard.pins() + "/v" + std::to_string(HW_ABI_VERSION);
    ASSERT_TRUE(::mkdir(site().guard.pins().c_str(), 0700) == 0 || errno == EEXIST);
    ASSERT_EQ(::symlink("/nonexistent", current.c_str()), 0); // nothing can be renamed to it
    const Status loaded = site().guard.load(kOnlyAllowedUnit);
    EXPECT_FALSE(loaded);
    EXPECT_NE(::access((current + "_new").c_str(), F_OK), 0) << "the unfinished set is still there";
    ASSERT_EQ(::unlink(current.c_str()), 0);
    // Hooks go when the last reference does, a little later.
    Result<Outcome> nobody = run(site().attack({"tcp", kImds4}));
    for (int tries = 0; tries < 100 && nobody && nobody->exit_code != 0; ++tries) {
        (void)::usleep(50'000);
        nobody = run(site().attack({"tcp", kImds4}));
    }
    ASSERT_TRUE(nobody);
    EXPECT_EQ(nobody->exit_code, 0) << nobody->text();
}

} // namespace
} // namespace hostward::e2e
