// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"
#include "tests/unit/hardening/primitives/outcome_of.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

const std::string kRoot = "root:x:0:0::/root:/bin/bash\n";
const std::string kRootGroup = "root:x:0:\n";
const std::string kRootShadow = "root:*:19000:0:99999:7:::\n";

struct Case {
    std::string property;
    std::string passwd;
    std::string group;
    std::string shadow;
    Verdict verdict;
};

Verdict verdict_of(const Case& one)
{
    host::MemoryHost host;
    host.file("/etc/passwd", kRoot + one.passwd).file("/etc/group", kRootGroup + one.group);
    host.file("/etc/shadow", kRootShadow + one.shadow).file("/etc/shells", "/bin/sh\n/bin/bash\n/usr/sbin/nologin\n");
    host.file("/etc/login.defs", "UID_MIN 1000\n");
    const auto outcome = outcome_of(kAccountsPrimitive, host, {{"property", one.property}});
    EXPECT_TRUE(outcome.verdict == Verdict::CannotTell || !outcome.evidence.empty()) << one.property;
    return outcome.verdict;
}

// Among them every line that other scanners were seen to judge wrongly.
TEST(AccountsPrimitive, Truth)
{
    using enum Verdict;
    const std::vector<Case> cases{
        {"only-root-uid-0", "", "", "", Pass},
        {"only-root-uid-0", "toor:x:00:0::/:/bin/sh\n", "", "", Fail},
        {"only-root-uid-0", "toor:x:+0:0::/:/bin/sh\n", "", "", Fail},
        {"only-root-uid-0", "toor:x: 0:0::/:/bin/sh\n", "", "", Fail},
        {"only-root-uid-0", "a.b:x:0:0::/:/bin/sh\n", "", "", Fail},
        {"only-root-uid-0", "toor:*:0:0::/:/bin/sh\n", "", "", Fail},
        {"only-root-uid-0", "# toor:x:0:0::/:/bin/sh\n", "", "", Pass},
        {"no-empty-password", "", "", "a.b::19000::::::\n", Fail},
        {"no-empty-password", "", "", "svc$::19000::::::\n", Fail},
        {"no-empty-password", "x::5:5::/:\n", "", "", Fail},
        {"no-empty-password", "", "", "a:!:19000::::::\n", Pass},
        {"passwords-shadowed", "a:*:5:5::/:\n", "", "", Fail},
        {"passwords-shadowed", "a:x:5:5::/:\n", "", "", Pass},
        {"primary-groups-exist", "a:x:5:77::/:\n", "", "", Fail},
        {"primary-groups-exist", "a:x:5:077::/:\n", "g:x:77:\n", "", Pass},
        {"uids-unique", "a:x:5:5::/:\nb:x:05:5::/:\n", "", "", Fail},
        {"uids-unique", "a:x:5:5::/:\nb:x:6:5::/:\n", "", "", Pass},
        {"user-names-unique", "a:x:5:5::/:\na:x:6:5::/:\n", "", "", Fail},
        {"gids-unique", "", "a:x:5:\nb:x:+5:\n", "", Fail},
        {"group-names-unique", "", "a:x:5:\na:x:6:\n", "", Fail},
        {"only-root-primary-gid-0", "a:x:5:0::/:\n", "", "", Fail},
        {"only-root-primary-gid-0", "sync:x:5:0::/:\n", "", "", Pass},
        {"root-primary-gid-0", "", "", "", Pass},
        {"only-root-group-gid-0", "", "wheel:x:0:\n", "", Fail},
        {"system-accounts-no-shell", "d:x:5:5::/:/bin/sh\n", "", "", Fail},
        {"system-accounts-no-shell", "d:x:5:5::/:\n", "", "", Fail},
        {"system-accounts-no-shell", "d:x:5:5::/:/usr/sbin/nologin\n", "", "", Pass},
        {"system-accounts-no-shell", "u:x:1000:5::/:/bin/sh\n", "", "", Pass},
        {"system-accounts-no-shell", "d:x:5:5::/:/usr/local/bin/zsh\n", "", "", Fail},
        {"no-shell-accounts-locked", "d:x:5:5::/:/bin/false\n", "", "d:$6$s$h:1::::::\n", Fail},
        {"no-shell-accounts-locked", "d:x:5:5::/:/bin/false\n", "", "d:!$6$s$h:1::::::\n", Pass},
        {"root-access-controlled", "", "", "", Pass},
        {"shadow-group-empty", "", "shadow:x:42:eve\n", "", Fail},
        {"shadow-group-empty", "eve:x:9:42::/:\n", "shadow:x:42:\n", "", Fail},
        {"shadow-group-empty", "", "shadow:x:42:\n", "", Pass},
        {"shells-list-no-nologin", "", "", "", Fail},
    };
    for (const auto& one : cases) {
        EXPECT_EQ(verdict_of(one), one.verdict) << one.property << "\n" << one.passwd << one.group << one.shadow;
    }
}

TEST(AccountsPrimitive, WhatOtherSourcesKnowCannotBeTold)
{
    host::MemoryHost host;
    host.file("/etc/passwd", kRoot + "a:x:1000:5000::/:\n").file("/etc/group", kRootGroup);
    host.file("/etc/nsswitch.conf", "group: files sss\n");
    const Given groups{{"property", "primary-groups-exist"}};
    EXPECT_EQ(outcome_of(kAccountsPrimitive, host, groups).verdict, Verdict::CannotTell);
    EXPECT_EQ(outcome_of(kAccountsPrimitive, host, {{"property", "no-empty-password"}}).verdict, Verdict::CannotTell)
        << "there is no /etc/shadow";
    host.file("/etc/passwd", kRoot + "+::::::\n").file("/etc/nsswitch.conf", "passwd: compat\n");
    EXPECT_EQ(outcome_of(kAccountsPrimitive, host, {{"property", "only-root-uid-0"}}).verdict, Verdict::CannotTell);
}

Verdict shadow(const std::string& text, Given arguments)
{
    host::MemoryHost host;
    host.file("/etc/shadow", text);
    return outcome_of(kShadowPrimitive, host, std::move(arguments)).verdict;
}

TEST(ShadowPrimitive, AgesOfPasswords)
{
    const Given max{{"field", "max_days"}, {"at_least", number_of(1)}, {"at_most", number_of(365)}};
    EXPECT_EQ(shadow("a:$6$s$h:19000:0:365:7:::\nb:!:19000:0:99999:7:::\n", max), Verdict::Pass);
    EXPECT_EQ(shadow("a:$6$s$h:19000:0:366:7:::\n", max), Verdict::Fail);
    EXPECT_EQ(shadow("a:$6$s$h:19000:0::7:::\n", max), Verdict::Fail) << "no end";
    EXPECT_EQ(shadow("a:!$6$s$h:19000:0:99999:7:::\n", max), Verdict::Fail) << "it may be unlocked";
    const Given inactive{{"field", "inactive_days"}, {"at_most", number_of(45)}};
    EXPECT_EQ(shadow("a:$6$s$h:19000:0:365:7:30::\n", inactive), Verdict::Pass);
    EXPECT_EQ(shadow("a:$6$s$h:19000:0:365:7:::\n", inactive), Verdict::Fail);
    const Given changed{{"field", "changed_day"}};
    EXPECT_EQ(shadow("a:$6$s$h:20000:0:365:7:::\n", changed), Verdict::Pass);
    EXPECT_EQ(shadow("a:$6$s$h:20001:0:365:7:::\n", changed), Verdict::Fail);
    EXPECT_EQ(shadow("a:$6$s$h:0:0:365:7:::\n", changed), Verdict::Pass);
    EXPECT_EQ(outcome_of(kShadowPrimitive, host::MemoryHost(), changed).verdict, Verdict::CannotTell);
}

TEST(LoginDefsPrimitive, NumbersAndNames)
{
    host::MemoryHost host;
    host.file("/etc/login.defs", "PASS_MAX_DAYS 99999\nPASS_MAX_DAYS 365\nENCRYPT_METHOD yescrypt\n#PASS_MIN_DAYS 1\n");
    EXPECT_EQ(outcome_of(kLoginDefsPrimitive, host, {{"key", "PASS_MAX_DAYS"}, {"at_most", number_of(365)}}).verdict,
              Verdict::Pass);
    EXPECT_EQ(outcome_of(kLoginDefsPrimitive, host, {{"key", "PASS_MIN_DAYS"}, {"at_least", number_of(1)}}).verdict,
              Verdict::Fail);
    EXPECT_EQ(
        outcome_of(kLoginDefsPrimitive, host, {{"key", "ENCRYPT_METHOD"}, {"any_of", texts({"SHA512", "YESCRYPT"})}})
            .verdict,
        Verdict::Pass);
}

TEST(UseraddPrimitive, NeverIsMoreThanAnyNumber)
{
    host::MemoryHost host;
    const Given given{{"inactive_at_most", number_of(45)}};
    EXPECT_EQ(outcome_of(kUseraddPrimitive, host, given).verdict, Verdict::Fail);
    host.file("/etc/default/useradd", "INACTIVE=30\n");
    EXPECT_EQ(outcome_of(kUseraddPrimitive, host, given).verdict, Verdict::Pass);
    host.file("/etc/default/useradd", "INACTIVE=-1\n");
    EXPECT_EQ(outcome_of(kUseraddPrimitive, host, given).verdict, Verdict::Fail);
}

} // namespace
} // namespace hostward::hardening
