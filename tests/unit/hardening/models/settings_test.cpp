// SPDX-License-Identifier: Apache-2.0
// The small formats: limits.conf, dconf, crypto policies, chrony, shell assignments.
#include "hardening/models/chrony.h"
#include "hardening/models/crypto_policy.h"
#include "hardening/models/dconf.h"
#include "hardening/models/limits.h"
#include "hardening/models/shell_assignments.h"
#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using ::testing::ElementsAre;
using ::testing::IsNull;
using ::testing::NotNull;

TEST(Limits, FilesInOrderAndCommentsGone)
{
    host::MemoryHost host;
    host.file("/etc/security/limits.conf",
              "#* hard core 0\n* hard core 0 # why\n* HARD Core\n* x core 0\nbob - core unlimited\n");
    host.file("/etc/security/limits.d/b.conf", "* soft core 1\n")
        .file("/etc/security/limits.d/a.txt", "* hard core 9\n");
    Facts facts(host, 0);
    const auto& limits = facts.get<Limits>();
    ASSERT_TRUE(limits.ok());
    ASSERT_EQ(limits->lines.size(), 3U);
    EXPECT_TRUE(limits->lines[0].sets_hard());
    EXPECT_EQ(limits->lines[0].where.text(), "/etc/security/limits.conf:2");
    EXPECT_TRUE(limits->lines[1].sets_hard());
    EXPECT_FALSE(limits->lines[2].sets_hard());
}

TEST(Dconf, LaterFilesWinAndLocksAreRead)
{
    host::MemoryHost host;
    host.file("/etc/dconf/profile/user", "user-db:user\nsystem-db:local # c\nsystem-db:../x\n");
    host.file("/etc/dconf/db/local.d/00-a", "[org/gnome/desktop/session]\nidle-delay=uint32 900\n");
    host.file("/etc/dconf/db/local.d/10-b", "[org/gnome/desktop/session]\nidle-delay=uint32 300\n");
    host.file("/etc/dconf/db/local.d/locks/00", "# c\n/org/gnome/desktop/session/idle-delay\n/org/dir/\n");
    auto profile = read_dconf_profile(host, "user");
    ASSERT_TRUE(profile.ok());
    ASSERT_EQ(profile->databases.size(), 1U);
    EXPECT_NE(profile->databases[0].stale, "");
    EXPECT_EQ(dconf_number(profile->value("/org/gnome/desktop/session/idle-delay")->text), 300);
    EXPECT_THAT(profile->lock("/org/gnome/desktop/session/idle-delay"), NotNull());
    EXPECT_THAT(profile->lock("/org/dir/key"), NotNull());
    EXPECT_THAT(profile->lock("/org/other"), IsNull());
    host.file("/etc/dconf/db/local", "GVariant");
    EXPECT_EQ(read_dconf_profile(host, "user")->databases[0].stale, "");
    EXPECT_FALSE(read_dconf_profile(host, "gdm")->is_there);
    EXPECT_EQ(dconf_number("uint32 x"), std::nullopt);
    EXPECT_EQ(dconf_number("5"), 5);
}

TEST(CryptoPolicy, NameAndWhatItAllows)
{
    host::MemoryHost host;
    host.file("/etc/crypto-policies/config", "# c\n\nDEFAULT:NO-SHA1 # d\nLEGACY\n");
    host.file("/etc/crypto-policies/state/current", "DEFAULT\n");
    host.file(
        "/etc/crypto-policies/state/CURRENT.pol",
        "# x\nmac = HMAC-SHA1 AEAD\ncipher = AES-256-GCM AES-256-CBC\ncipher@SSH = AES-256-GCM\nsha1_in_certs = 0\n");
    Facts facts(host, 0);
    const auto& policy = facts.get<CryptoPolicy>();
    ASSERT_TRUE(policy.ok());
    EXPECT_EQ(policy->configured, "DEFAULT:NO-SHA1");
    EXPECT_EQ(policy->current, "DEFAULT");
    EXPECT_THAT(*policy->values("mac"), ElementsAre("HMAC-SHA1", "AEAD"));
    EXPECT_THAT(*policy->values("cipher", "openssh-server"), ElementsAre("AES-256-GCM"));
    EXPECT_THAT(*policy->values("cipher", "nss"), ElementsAre("AES-256-GCM", "AES-256-CBC"));
    EXPECT_THAT(policy->values("etm", "ssh"), IsNull());
    EXPECT_FALSE(Facts(host::MemoryHost(), 0).get<CryptoPolicy>()->is_there);
}

TEST(Chrony, IncludesFoldersAndComments)
{
    host::MemoryHost host;
    host.file("/etc/chrony/chrony.conf", "! c\n% c\nPool a.example  iburst\nconfdir /etc/chrony/conf.d /run/c\n"
                                         "sourcedir /run/s\ninclude /etc/chrony/extra*.x\nuser _chrony\n");
    host.file("/etc/chrony/conf.d/x.conf", "user root\n").file("/run/s/dhcp.sources", "server 169.254.169.123\n");
    host.file("/etc/chrony/extra1.x", "port 0\n");
    Facts facts(host, 0);
    const auto& chrony = facts.get<Chrony>();
    ASSERT_TRUE(chrony.ok());
    EXPECT_EQ(chrony->last("pool")->value, "a.example iburst");
    EXPECT_EQ(chrony->last("server")->where.text(), "/run/s/dhcp.sources:1");
    EXPECT_EQ(chrony->last("user")->value, "_chrony");
    EXPECT_THAT(chrony->last("port"), NotNull());
    EXPECT_FALSE(Facts(host::MemoryHost().directory("/etc"), 0).get<Chrony>()->is_there);
}

TEST(Chrony, FilesThatIncludeThemselvesAreAnError)
{
    host::MemoryHost host;
    host.file("/etc/chrony.conf", "include /etc/chrony.conf\n");
    EXPECT_EQ(Facts(host, 0).get<Chrony>().error().kind, ErrorKind::Invalid);
}

TEST(ShellAssignments, QuotesExportsAndCommands)
{
    const auto all = parse_shell_assignments("# A=0\nA='1 2' B=\"x\\\"y$Z\"\nexport C=c\\ d\nD=1 command\n1E=x\n"
                                             "GRUB+=' audit=1'\nF=\\\ng\n",
                                             "f");
    EXPECT_EQ(last_assignment(all, "A")->value, "1 2");
    EXPECT_EQ(last_assignment(all, "B")->value, "x\"y$Z");
    EXPECT_EQ(last_assignment(all, "C")->value, "c d");
    EXPECT_THAT(last_assignment(all, "D"), IsNull());
    EXPECT_TRUE(last_assignment(all, "GRUB")->is_appended);
    EXPECT_EQ(last_assignment(all, "F")->value, "g");
    EXPECT_THAT(shell_words("a 'b c'd # e"), ElementsAre("a", "b cd"));
}

} // namespace
} // namespace hostward::hardening
