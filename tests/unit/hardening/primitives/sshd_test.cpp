// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"
#include "tests/unit/hardening/primitives/outcome_of.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

host::MemoryHost with(const std::string& config)
{
    host::MemoryHost host;
    host.file("/usr/sbin/sshd", "OpenSSH_9.2p1 x").file("/etc/ssh/sshd_config", config);
    return host;
}

Verdict root_login(const std::string& config)
{
    return outcome_of(kSshdPrimitive, with(config),
                      {{"keyword", "permitrootlogin"}, {"any_of", texts({"no"})}, {"user", "root"}})
        .verdict;
}

TEST(SshdPrimitive, RootLogin)
{
    EXPECT_EQ(root_login("PermitRootLogin=\"no\"\r\n"), Verdict::Pass);
    EXPECT_EQ(root_login(""), Verdict::Fail) << "the default is not no";
    EXPECT_EQ(root_login("Match User bob\nPermitRootLogin no\n"), Verdict::Fail);
    EXPECT_EQ(root_login("PermitRootLogin no\nMatch Address 10.0.0.0/8\nPermitRootLogin yes\n"), Verdict::Fail);
    EXPECT_EQ(root_login("PermitRootLogin no\nMatch User bob\nPermitRootLogin yes\n"), Verdict::Pass)
        << "the block cannot mean root";
    EXPECT_EQ(root_login("PermitRootLogin no\nNoSuch x\n"), Verdict::CannotTell) << "sshd would not start";
}

TEST(SshdPrimitive, WithoutServerOrFile)
{
    const Given given{{"keyword", "permitrootlogin"}, {"any_of", texts({"no"})}};
    EXPECT_EQ(outcome_of(kSshdPrimitive, host::MemoryHost(), given).verdict, Verdict::NotApplicable);
    host::MemoryHost host;
    host.file("/usr/sbin/sshd", "");
    EXPECT_EQ(outcome_of(kSshdPrimitive, host, given).verdict, Verdict::CannotTell);
    host.file("/etc/ssh/sshd_config", "x").broken("/etc/ssh/sshd_config", system_error(EACCES, "reading"));
    EXPECT_EQ(outcome_of(kSshdPrimitive, host, given).verdict, Verdict::CannotTell);
}

TEST(SshdPrimitive, NumbersListsAndPresence)
{
    const Given grace{{"keyword", "logingracetime"}, {"at_least", number_of(1)}, {"at_most", number_of(60)}};
    EXPECT_EQ(outcome_of(kSshdPrimitive, with("LoginGraceTime 1m\n"), grace).verdict, Verdict::Pass);
    EXPECT_EQ(outcome_of(kSshdPrimitive, with("LoginGraceTime 0\n"), grace).verdict, Verdict::Fail) << "0 is for ever";
    EXPECT_EQ(outcome_of(kSshdPrimitive, with(""), grace).evidence.front().where, "default of sshd");
    const Given startups{{"keyword", "maxstartups"}, {"startups_at_most", "10:30:60"}};
    EXPECT_EQ(outcome_of(kSshdPrimitive, with("MaxStartups 10:30:60\n"), startups).verdict, Verdict::Pass);
    EXPECT_EQ(outcome_of(kSshdPrimitive, with(""), startups).verdict, Verdict::Fail);
    const Given ciphers{{"keyword", "ciphers"}, {"none_of", texts({"aes128-cbc"})}};
    EXPECT_EQ(outcome_of(kSshdPrimitive, with(""), ciphers).verdict, Verdict::Pass);
    EXPECT_EQ(outcome_of(kSshdPrimitive, with("Ciphers +aes128-cbc\n"), ciphers).verdict, Verdict::Fail);
    host::MemoryHost unknown;
    unknown.file("/usr/sbin/sshd", "stripped").file("/etc/ssh/sshd_config", "");
    EXPECT_EQ(outcome_of(kSshdPrimitive, unknown, ciphers).verdict, Verdict::CannotTell)
        << "the default is the version's";
    const Given banner{{"keyword", "banner"}, {"is_set", Value(true)}};
    EXPECT_EQ(outcome_of(kSshdPrimitive, with("Banner /etc/issue.net\n"), banner).verdict, Verdict::Pass);
    EXPECT_EQ(outcome_of(kSshdPrimitive, with("Banner none\n"), banner).verdict, Verdict::Fail);
    const Given users{{"keyword", "allowusers"}, {"is_set", Value(true)}};
    EXPECT_EQ(outcome_of(kSshdPrimitive, with("AllowUsers a b\n"), users).verdict, Verdict::Pass);
    EXPECT_EQ(outcome_of(kSshdPrimitive, with("Match User a\nAllowUsers a\n"), users).verdict, Verdict::Fail);
}

TEST(SshdCryptoPolicyPrimitive, OptingOut)
{
    auto host = with("Include /etc/crypto-policies/back-ends/opensshserver.config\n");
    EXPECT_EQ(outcome_of(kSshdCryptoPolicyPrimitive, host, {}).verdict, Verdict::Fail)
        << "the included file is missing";
    host.file("/etc/crypto-policies/back-ends/opensshserver.config", "Ciphers aes256-ctr\n");
    EXPECT_EQ(outcome_of(kSshdCryptoPolicyPrimitive, host, {}).verdict, Verdict::Pass);
    host.file("/etc/sysconfig/sshd", "# CRYPTO_POLICY=\n");
    EXPECT_EQ(outcome_of(kSshdCryptoPolicyPrimitive, host, {}).verdict, Verdict::Pass);
    host.file("/etc/sysconfig/sshd", "CRYPTO_POLICY=\n");
    EXPECT_EQ(outcome_of(kSshdCryptoPolicyPrimitive, host, {}).verdict, Verdict::Fail);
}

} // namespace
} // namespace hostward::hardening
