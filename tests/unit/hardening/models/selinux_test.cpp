// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/selinux.h"

#include "hardening/models/apparmor.h"
#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

std::string mode(std::string_view text)
{
    const auto config = parse_selinux_config(text, "f");
    return config.mode ? std::string(selinux_mode_name(*config.mode)) + "@" + std::to_string(config.mode_where.line)
                       : "unset";
}

TEST(Selinux, ModeIsTheFirstLineThatSaysOne)
{
    EXPECT_EQ(mode(""), "unset");
    EXPECT_EQ(mode("#SELINUX=enforcing\n"), "unset");
    EXPECT_EQ(mode(" SELINUX=enforcing\n"), "unset"); // libselinux wants it at the start of the line
    EXPECT_EQ(mode("SELINUX=Permisive\nSELINUX=Enforcing \r\nSELINUX=disabled\n"), "enforcing@2");
    EXPECT_EQ(mode("SELINUX= permissive # c\n"), "permissive@1");
    EXPECT_EQ(mode("SELINUXTYPE=targeted\n"), "unset");
}

TEST(Selinux, TypeIsTheLastLine)
{
    EXPECT_EQ(parse_selinux_config("SELINUXTYPE=mls\nSELINUXTYPE=targeted \n", "f").type, "targeted");
    EXPECT_EQ(parse_selinux_config("SELINUX=enforcing\n", "f").type, "targeted");
}

TEST(Selinux, RunningModeIsTheKernels)
{
    host::MemoryHost host;
    host.file("/proc/filesystems", "nodev\tsysfs\n");
    EXPECT_EQ(Facts(host, 0).get<RunningSelinux>()->mode, SelinuxMode::Disabled);
    host.file("/proc/filesystems", "nodev\tselinuxfs\n");
    EXPECT_FALSE(Facts(host, 0).get<RunningSelinux>().ok());
    host.file("/sys/fs/selinux/enforce", "0");
    EXPECT_EQ(Facts(host, 0).get<RunningSelinux>()->mode, SelinuxMode::Permissive);
    host.file("/sys/fs/selinux/enforce", "1");
    EXPECT_EQ(Facts(host, 0).get<RunningSelinux>()->mode, SelinuxMode::Enforcing);
    host.image();
    EXPECT_EQ(Facts(host, 0).get<RunningSelinux>().error().kind, ErrorKind::Unsupported);
    EXPECT_FALSE(Facts(host, 0).get<SelinuxConfig>()->is_there);
}

TEST(Apparmor, ProfilesWithBlanksAndModes)
{
    const auto profiles = parse_apparmor_profiles("/usr/sbin/x (enforce)\na (b) c (complain)\n\nnomode\n");
    ASSERT_EQ(profiles.size(), 3U);
    EXPECT_EQ(profiles[0].mode, "enforce");
    EXPECT_EQ(profiles[1].name, "a (b) c");
    EXPECT_EQ(profiles[2].mode, "");
}

TEST(Apparmor, AKernelWithoutItIsOffAndAnImageCannotTell)
{
    host::MemoryHost host;
    host.directory("/proc");
    EXPECT_FALSE(Facts(host, 0).get<Apparmor>()->is_on);
    host.file("/sys/module/apparmor/parameters/enabled", "Y\n");
    EXPECT_FALSE(Facts(host, 0).get<Apparmor>().ok()); // on, but the profiles are not shown
    host.file("/sys/kernel/security/apparmor/profiles", "/bin/x (enforce)\n");
    host.file("/proc/7/attr/apparmor/current", "/bin/x (enforce)\n").link("/proc/7/exe", "/bin/x");
    host.file("/proc/8/attr/current", "unconfined\n").link("/proc/8/exe", "/bin/y").directory("/proc/9");
    const auto apparmor = Facts(host, 0).get<Apparmor>();
    ASSERT_TRUE(apparmor.ok());
    ASSERT_EQ(apparmor->processes.size(), 2U);
    EXPECT_EQ(apparmor->processes[0].profile, "/bin/x");
    EXPECT_EQ(apparmor->processes[1].profile, "unconfined");
    host.image();
    EXPECT_EQ(Facts(host, 0).get<Apparmor>().error().kind, ErrorKind::Unsupported);
}

} // namespace
} // namespace hostward::hardening
