// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/mounts.h"

#include "hardening/models/boot_mounts.h"
#include "hardening/models/fstab.h"
#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using ::testing::ElementsAre;
using ::testing::IsNull;
using ::testing::NotNull;

constexpr auto kTable = "22 1 0:21 / / rw,relatime shared:1 - ext4 /dev/vda rw,errors=remount-ro\n"
                        "23 22 0:22 / /tmp rw,nodev - tmpfs tmpfs rw,size=1k\n"
                        "24 23 0:23 / /tmp rw,nosuid,noexec master:1 propagate_from:2 - tmpfs tmp\\040fs rw\n"
                        "25 22 0:24 / /var rw - ext4 /dev/b rw\n"
                        "26 22 0:25 / /var/log rw,noexec - ext4 /dev/c rw\n"
                        "27 25 0:26 / /var/tmp rw - ext4 /dev/d rw\n";

TEST(Mounts, TheTopmostMountCounts)
{
    const Mounts mounts{parse_mountinfo(kTable).value()};
    ASSERT_THAT(mounts.at("/tmp"), NotNull());
    EXPECT_FALSE(mounts.at("/tmp")->has("nodev"));
    EXPECT_TRUE(mounts.at("/tmp")->has("noexec"));
    EXPECT_EQ(mounts.at("/tmp")->source, "tmp fs");
    EXPECT_EQ(mounts.at("/")->type, "ext4");
    EXPECT_THAT(mounts.at("/home"), IsNull());
    EXPECT_THAT(mounts.at("/tm"), IsNull());
}

TEST(Mounts, WhatAnotherMountCoversIsNotMet)
{
    const Mounts mounts{parse_mountinfo(kTable).value()};
    EXPECT_THAT(mounts.at("/var/log"), IsNull()); // mounted on the root's /var, below the mount of /var
    EXPECT_THAT(mounts.at("/var/tmp"), NotNull());
}

TEST(Mounts, ARootThatIsNoMountIsFine)
{
    const Mounts mounts{
        parse_mountinfo("30 9 0:1 / /dev rw - tmpfs dev rw\n31 30 0:2 / /dev/shm rw - tmpfs shm rw\n").value()};
    EXPECT_THAT(mounts.at("/dev/shm"), NotNull());
    EXPECT_THAT(mounts.at("/"), IsNull());
}

// A unit of systemd with NoNewPrivileges= and ProtectSystem=: the same root, read-only, and everything nosuid.
TEST(Mounts, AUnitsOwnMountsAreNotTheHosts)
{
    host::MemoryHost host;
    host.file("/proc/self/mountinfo",
              "50 9 254:1 / / ro,nosuid - ext4 /dev/vda1 rw\n51 50 0:22 / /tmp rw,nosuid,nodev - tmpfs tmpfs rw\n");
    host.file("/proc/1/mountinfo",
              "20 1 254:1 / / rw - ext4 /dev/vda1 rw\n21 20 0:22 / /tmp rw,nodev - tmpfs tmpfs rw\n");
    Facts facts(host, 0);
    const auto& mounts = facts.get<Mounts>().value();
    EXPECT_EQ(mounts.where, "/proc/1/mountinfo");
    EXPECT_FALSE(mounts.at("/tmp")->has("nosuid"));
    EXPECT_TRUE(mounts.at("/tmp")->has("nodev"));
}

// mmdebstrap and packer's chroot: the first process has the builder's paths.
TEST(Mounts, BelowAnotherRootThanTheFirstProcessOurOwnCount)
{
    for (const auto* builders :
         {"20 1 254:1 / / rw - ext4 /dev/vda1 rw\n", "20 1 254:9 /image / rw - ext4 /dev/vdb rw\n", "garbage\n", ""}) {
        host::MemoryHost host;
        host.file("/proc/self/mountinfo", "50 9 254:9 / / rw,nosuid - ext4 /dev/vdb rw\n");
        host.file("/proc/1/mountinfo", builders);
        Facts facts(host, 0);
        const auto& mounts = facts.get<Mounts>().value();
        EXPECT_EQ(mounts.where, "/proc/self/mountinfo") << builders;
        EXPECT_TRUE(mounts.at("/")->has("nosuid"));
    }
}

TEST(Mounts, MalformedIsAnErrorAndAnImageHasNone)
{
    for (const auto* text :
         {"1\n", "a b 0:1 / / rw - t s o\n", "1 2 0:1 / / rw shared:1 t s o\n", "1 2 0:1 / / rw - t\n", "\n"}) {
        EXPECT_FALSE(parse_mountinfo(text).ok()) << text;
    }
    host::MemoryHost host;
    host.file("/proc/self/mountinfo", kTable).image();
    Facts facts(host, 0);
    EXPECT_EQ(facts.get<Mounts>().error().kind, ErrorKind::Unsupported);
}

TEST(Fstab, OptionsMeanWhatMountMakesOfThem)
{
    const auto gives = [](std::string_view options, std::string_view wanted) {
        return options_give(mount_options(options), wanted);
    };
    EXPECT_TRUE(gives("defaults,nodev", "nodev"));
    EXPECT_TRUE(gives("nodev,defaults", "nodev"));
    EXPECT_FALSE(gives("defaults,x-nodev-note", "nodev"));
    EXPECT_FALSE(gives("nodev,dev", "nodev"));
    EXPECT_TRUE(gives("dev,nodev", "nodev"));
    EXPECT_TRUE(gives("user", "noexec"));
    EXPECT_FALSE(gives("user,exec", "noexec"));
    EXPECT_TRUE(gives("owner", "nosuid"));
    EXPECT_FALSE(gives("owner", "noexec"));
    EXPECT_FALSE(gives("", "nodev"));
    EXPECT_TRUE(gives("usrquota", "usrquota"));
    EXPECT_THAT(mount_options("a,context=\"x,y\",,b"), ElementsAre("a", "context=\"x,y\"", "b"));
}

TEST(Fstab, Lines)
{
    const auto entries = parse_fstab("# /dev/x /tmp ext4\n\n/dev/a\\040b /mnt/with\\040blank/ ext4 nodev 0 0\n"
                                     "  /dev/b\t/tmp tmpfs\n/dev/c /home\n/dev/d /tmp ext4 noexec\n",
                                     "f");
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(entries[0].point, "/mnt/with blank");
    EXPECT_EQ(entries[0].where.text(), "f:3");
    EXPECT_TRUE(entries[1].options.empty());
    EXPECT_EQ(Fstab{entries}.at("/tmp")->source, "/dev/b"); // systemd makes its unit of the first
    EXPECT_THAT(Fstab{entries}.at("/home"), IsNull());
}

std::string boot(const host::MemoryHost& host, const std::string& point)
{
    Facts facts(host, 0);
    const auto mount = mount_at_boot(facts, point);
    EXPECT_TRUE(mount.ok());
    if (!mount.ok() || !*mount) {
        return "none";
    }
    std::string text = (*mount)->where.text() + " " + (*mount)->type;
    for (const auto& option : (*mount)->options) {
        text += " " + option;
    }
    return text;
}

constexpr auto kUnit =
    "[Unit]\n[Mount]\nWhat=tmpfs\nWhere=/tmp\nType=tmpfs\nOptions=mode=1777,strictatime,nosuid,nodev\n";

TEST(BootMounts, FromFstabOrUnitOrNeither)
{
    host::MemoryHost host;
    EXPECT_EQ(boot(host, "/tmp"), "none");
    host.file("/usr/lib/systemd/system/tmp.mount", kUnit);
    EXPECT_EQ(boot(host, "/tmp"), "none"); // nothing pulls it in
    host.link("/usr/lib/systemd/system/local-fs.target.wants/tmp.mount", "../tmp.mount");
    EXPECT_EQ(boot(host, "/tmp"), "/usr/lib/systemd/system/tmp.mount:6 tmpfs mode=1777 strictatime nosuid nodev");
    host.file("/etc/systemd/system/tmp.mount.d/noexec.conf", "[Mount]\nOptions=nodev,noexec\n");
    EXPECT_EQ(boot(host, "/tmp"), "/etc/systemd/system/tmp.mount.d/noexec.conf:2 tmpfs nodev noexec");
    host.file("/etc/fstab", "/dev/a /tmp ext4 nosuid 0 0\n");
    EXPECT_EQ(boot(host, "/tmp"), "/etc/systemd/system/tmp.mount.d/noexec.conf:2 ext4 nodev noexec");
}

TEST(BootMounts, AUnitInEtcComesBeforeFstabAndAMaskHidesIt)
{
    host::MemoryHost host;
    host.file("/etc/fstab", "/dev/a /tmp ext4 nosuid 0 0\n").file("/etc/systemd/system/tmp.mount", kUnit);
    EXPECT_EQ(boot(host, "/tmp"), "/etc/systemd/system/tmp.mount:6 tmpfs mode=1777 strictatime nosuid nodev");
    host.link("/etc/systemd/system/tmp.mount", "/dev/null");
    EXPECT_EQ(boot(host, "/tmp"), "none");
}

TEST(BootMounts, NoautoIsNotMountedAtBootUnlessEntered)
{
    host::MemoryHost host;
    host.file("/etc/fstab", "/dev/a /tmp ext4 noauto,nodev\n/dev/b /home ext4 noauto,x-systemd.automount\n");
    EXPECT_EQ(boot(host, "/tmp"), "none");
    EXPECT_EQ(boot(host, "/home"), "/etc/fstab:2 ext4 noauto x-systemd.automount");
}

TEST(BootMounts, SharedMemoryIsSystemdsUnlessFstabHasIt)
{
    host::MemoryHost host;
    EXPECT_EQ(boot(host, "/dev/shm"), "systemd's own mounts tmpfs nosuid nodev strictatime mode=1777");
    host.file("/etc/fstab", "tmpfs /dev/shm tmpfs noexec 0 0\n");
    EXPECT_EQ(boot(host, "/dev/shm"), "/etc/fstab:1 tmpfs noexec");
    EXPECT_EQ(unit_name_of_path("/dev/shm"), "dev-shm");
    EXPECT_EQ(unit_name_of_path("/a-b//.c"), "a\\x2db-.c");
    EXPECT_EQ(unit_name_of_path("/"), "-");
}

} // namespace
} // namespace hostward::hardening
