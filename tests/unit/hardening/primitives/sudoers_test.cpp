// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"
#include "tests/unit/hardening/primitives/outcome_of.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

host::MemoryHost with(const std::string& sudoers)
{
    host::MemoryHost host;
    host.file("/etc/sudoers", sudoers);
    host.file("/etc/sudoers.d/90-users", "bob ALL=(ALL) NOPASSWD: ALL\n")
        .file("/etc/sudoers.d/10-pty", "Defaults use_pty\n");
    host.file("/etc/sudoers.d/x.bak", "Defaults !use_pty\n").file("/etc/sudoers.d/x~", "Defaults !use_pty\n");
    return host;
}

Verdict use_pty(const std::string& sudoers)
{
    return outcome_of(kSudoDefaultPrimitive, with(sudoers), {{"option", "use_pty"}, {"is_on", Value(true)}}).verdict;
}

TEST(SudoDefault, ScopesOrderAndIncludes)
{
    EXPECT_EQ(use_pty("Defaults env_reset, use_pty\n"), Verdict::Pass);
    EXPECT_EQ(use_pty("Defaults\tuse_pty # x\n"), Verdict::Pass);
    EXPECT_EQ(use_pty("#Defaults use_pty\n"), Verdict::Fail);
    EXPECT_EQ(use_pty("Defaults !use_pty\n"), Verdict::Fail);
    EXPECT_EQ(use_pty("Defaults use_pty\nDefaults !use_pty\n"), Verdict::Fail) << "the last one counts";
    EXPECT_EQ(use_pty("Defaults use_pty\nDefaults:bob !use_pty\n"), Verdict::Fail);
    EXPECT_EQ(use_pty("Defaults:bob use_pty\n"), Verdict::Fail) << "not for everybody";
    EXPECT_EQ(use_pty("@includedir /etc/sudoers.d\n"), Verdict::Pass);
    EXPECT_EQ(use_pty("#includedir /etc/sudoers.d\n"), Verdict::Pass);
    EXPECT_EQ(use_pty("@include sudoers.d/10-pty\n"), Verdict::Pass);
    EXPECT_EQ(use_pty("Defaults env_reset, \\\n  use_pty\n"), Verdict::Pass);
    EXPECT_EQ(use_pty("Defaults badpass_message=\"x, use_pty\"\n"), Verdict::Fail);
    EXPECT_EQ(use_pty("User_Alias A = use_pty\n"), Verdict::Fail);
    EXPECT_EQ(use_pty("@include sudoers\n"), Verdict::CannotTell) << "it includes itself";
    EXPECT_EQ(use_pty("@include /etc/sudoers.%h\nDefaults use_pty\n"), Verdict::CannotTell);
    EXPECT_EQ(outcome_of(kSudoPasswordPrimitive, host::MemoryHost(), {}).verdict, Verdict::NotApplicable);
}

Verdict timeout(const std::string& sudoers)
{
    return outcome_of(kSudoDefaultPrimitive, with(sudoers),
                      {{"option", "timestamp_timeout"}, {"minutes_at_most", number_of(15)}})
        .verdict;
}

TEST(SudoDefault, Minutes)
{
    EXPECT_EQ(timeout(""), Verdict::Pass) << "sudo's own is 5 or 15";
    EXPECT_EQ(timeout("Defaults timestamp_timeout=15\n"), Verdict::Pass);
    EXPECT_EQ(timeout("Defaults timestamp_timeout = 15.5\n"), Verdict::Fail);
    EXPECT_EQ(timeout("Defaults timestamp_timeout=-1\n"), Verdict::Fail) << "for ever";
    EXPECT_EQ(timeout("Defaults timestamp_timeout=-0.5\n"), Verdict::Fail);
    EXPECT_EQ(timeout("Defaults !timestamp_timeout\n"), Verdict::Pass);
    EXPECT_EQ(timeout("Defaults:bob timestamp_timeout=60\n"), Verdict::Fail);
    EXPECT_EQ(timeout("Defaults timestamp_timeout=x\n"), Verdict::Fail);
}

Verdict password(const std::string& sudoers) { return outcome_of(kSudoPasswordPrimitive, with(sudoers), {}).verdict; }

TEST(SudoPassword, Tags)
{
    EXPECT_EQ(password("root ALL=(ALL:ALL) ALL\n"), Verdict::Pass);
    EXPECT_EQ(password("a ALL=(ALL) NOPASSWD:ALL\n"), Verdict::Fail);
    EXPECT_EQ(password("a ALL = SETENV:NOPASSWD : /bin/x\n"), Verdict::Fail);
    EXPECT_EQ(password("#1000 ALL = NOPASSWD: ALL\n"), Verdict::Fail) << "a user by number, no comment";
    EXPECT_EQ(password("# a ALL = NOPASSWD: ALL\n"), Verdict::Pass);
    EXPECT_EQ(password("a ALL = ALL # NOPASSWD: ALL\n"), Verdict::Pass);
    EXPECT_EQ(password("a ALL = ALL, \\\n NOPASSWD: /bin/x\n"), Verdict::Fail);
    EXPECT_EQ(password("@includedir /etc/sudoers.d\n"), Verdict::Fail);
    EXPECT_EQ(password("a ALL = PASSWD: ALL\n"), Verdict::Pass);
}

} // namespace
} // namespace hostward::hardening
