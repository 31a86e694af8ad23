// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/accounts.h"

#include "hardening/models/account_fields.h"
#include "hardening/models/login_defs.h"
#include "hardening/models/shadow.h"
#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using ::testing::ElementsAre;

// What other scanners miss: UID 0 that is not written as "0", names with dots, dollars and capitals.
TEST(Passwd, NumbersAreWhatTheLibraryReads)
{
    for (const std::string field : {"0", "00", "+0", " 0", "\t0", "-0"}) {
        const auto users = parse_passwd("too.r$:x:" + field + ":0::/:/bin/sh\n", "p").users;
        ASSERT_EQ(users.size(), 1U) << field;
        EXPECT_EQ(users[0].uid, 0U) << field;
        EXPECT_EQ(users[0].name, "too.r$");
    }
    EXPECT_EQ(libc_id("4294967295"), 4294967295U);
    EXPECT_EQ(libc_id("-18446744073709551615"), 1U);
    EXPECT_FALSE(libc_id("4294967296"));
    EXPECT_FALSE(libc_id("-1"));
    EXPECT_FALSE(libc_id("99999999999999999999"));
    EXPECT_FALSE(libc_id("0x10"));
    EXPECT_FALSE(libc_id("1 "));
    EXPECT_FALSE(libc_id(""));
    EXPECT_FALSE(libc_id("+"));
}

TEST(Passwd, LinesThatNameNobody)
{
    const auto passwd =
        parse_passwd("# c\n\n +:::::\n-bob::::::\nshort:x:1\nbad:x:y:1:::\n  ok:x:5:6:g:/h", "/etc/passwd");
    ASSERT_EQ(passwd.users.size(), 1U);
    EXPECT_EQ(passwd.users[0].name, "ok");
    EXPECT_EQ(passwd.users[0].origin.text(), "/etc/passwd:7");
    EXPECT_EQ(passwd.users[0].shell, "");
    EXPECT_EQ(passwd.compat.size(), 2U);
    EXPECT_EQ(passwd.unusable.size(), 2U);
    EXPECT_TRUE(parse_passwd("", "f").users.empty());
}

TEST(Passwd, AbsentIsAValueAndUnreadableAnError)
{
    host::MemoryHost host;
    Facts facts(host, 0);
    EXPECT_FALSE(facts.get<Passwd>().value().is_there);
    host::MemoryHost broken;
    broken.file("/etc/x", "").broken("/etc/passwd", system_error(EIO, "reading"));
    Facts others(broken, 0);
    EXPECT_FALSE(others.get<Passwd>().ok());
}

TEST(Groups, MembersAndGroupsOfAUser)
{
    const auto groups = parse_groups("root:x:0:\nsudo:x:27: bob, ,eve\nbob:x:1000:\nalso:x:27:bob\n", "g");
    EXPECT_THAT(groups.find("sudo")->members, ElementsAre("bob", "eve"));
    User bob;
    bob.name = "bob";
    bob.gid = 1000;
    EXPECT_THAT(groups_of(bob, groups), ElementsAre("bob", "sudo"));
}

TEST(NameServices, ActionsAreNoServices)
{
    const auto found = parse_name_services("# c\npasswd: files [NOTFOUND=return] sss # x\ngroup:compat systemd\n");
    EXPECT_THAT(found.beyond_files("passwd"), ElementsAre("sss"));
    EXPECT_THAT(found.beyond_files("group"), ElementsAre("systemd"));
    EXPECT_TRUE(found.beyond_files("shadow").empty());
}

struct PasswordCase {
    std::string field;
    PasswordState state;
    std::string scheme;
};

TEST(PasswordField, EveryState)
{
    using enum PasswordState;
    const std::vector<PasswordCase> cases{
        {"", Empty, ""},
        {"!", Locked, ""},
        {"!!", Locked, ""},
        {"!*", Locked, ""},
        {"*", Unusable, ""},
        {"x", Unusable, ""},
        {"*NP*", Unusable, ""},
        {"!$6$salt$hash", LockedHash, "sha512"},
        {"!!$y$j9T$salt$hash", LockedHash, "yescrypt"},
        {"$y$j9T$salt$hash", Usable, "yescrypt"},
        {"$6$salt$hash", Usable, "sha512"},
        {"$6$", Unusable, ""},
        {"$1$salt$hash", Usable, "md5"},
        {"$2b$12$salt", Usable, "bcrypt"},
        {"ab0123456789/", Usable, "des"},
        {"ab0123456789:", Unusable, ""},
        {"$9$a$b", Unusable, ""},
    };
    for (const auto& one : cases) {
        const auto field = parse_password_field(one.field);
        EXPECT_EQ(field.state, one.state) << one.field;
        EXPECT_EQ(field.scheme, one.scheme) << one.field;
        EXPECT_EQ(describe(field).find("salt"), std::string::npos) << "evidence never shows a hash";
    }
}

TEST(Shadow, DaysAndMissingFields)
{
    const auto shadow =
        parse_shadow("root:*:0:0:99999:7:::\na.b::19000::90::4294967295::\nsvc$:!:x:::::\nold:*:1:2:3\n", "s");
    ASSERT_EQ(shadow.entries.size(), 3U);
    EXPECT_EQ(shadow.find("root")->changed_day, 0);
    EXPECT_EQ(shadow.find("root")->inactive_days, kNotSet);
    EXPECT_EQ(shadow.find("a.b")->password.state, PasswordState::Empty);
    EXPECT_EQ(shadow.find("a.b")->min_days, kNotSet);
    EXPECT_EQ(shadow.find("a.b")->max_days, 90);
    EXPECT_EQ(shadow.find("a.b")->inactive_days, -1);
    EXPECT_EQ(shadow.find("old")->max_days, 3);
    EXPECT_EQ(shadow.unusable.size(), 1U);
}

TEST(LoginDefs, LastForTheToolsFirstForPam)
{
    const auto defs =
        parse_login_defs("#UMASK 022\nUMASK 027\nPASS_MAX_DAYS\t\"90\" rest\nUMASK  077 \nALONE\n  A  0x10\n", "l");
    EXPECT_EQ(defs.first("UMASK")->value, "027");
    EXPECT_EQ(defs.last("UMASK")->value, "077");
    EXPECT_EQ(defs.number("UMASK"), 077);
    EXPECT_EQ(defs.number("PASS_MAX_DAYS"), 90);
    EXPECT_EQ(defs.number("A"), 16);
    EXPECT_EQ(defs.last("ALONE"), nullptr);
    EXPECT_FALSE(defs.number("ABSENT"));
}

TEST(UseraddDefaults, InactiveIsNeverWithoutANumber)
{
    EXPECT_EQ(parse_useradd_defaults("# INACTIVE=30\n", "u").inactive_days(), -1);
    EXPECT_EQ(parse_useradd_defaults("INACTIVE=30\nINACTIVE=45\n", "u").inactive_days(), 45);
    EXPECT_EQ(parse_useradd_defaults("INACTIVE=\n", "u").inactive_days(), -1);
    EXPECT_EQ(parse_useradd_defaults("INACTIVE=-7\n", "u").inactive_days(), -1);
    EXPECT_EQ(UseraddDefaults{}.inactive_days(), -1);
}

TEST(Shells, CommentsAndBlanks)
{
    const auto shells = parse_shells("# /bin/no\n/bin/sh\n  /bin/bash # x\nbash\n/\n/usr/bin/tmux\t\n", "s");
    EXPECT_TRUE(shells.has("/bin/sh"));
    EXPECT_TRUE(shells.has("/bin/bash"));
    EXPECT_TRUE(shells.has("/usr/bin/tmux"));
    EXPECT_EQ(shells.shells.size(), 3U);
}

} // namespace
} // namespace hostward::hardening
