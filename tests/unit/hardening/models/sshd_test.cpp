// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/sshd_effective.h"
#include "hardening/models/sshd_keywords.h"
#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using ::testing::ElementsAre;

struct Files {
    std::string main;
    std::string drop_in = {};
    std::string environment = {};
};

SshdConfig config_of(const Files& files)
{
    host::MemoryHost host;
    host.file("/usr/sbin/sshd", "\x7f"
                                "ELF OpenSSH_7.4* OpenSSH_9.2p1 Debian");
    host.file("/etc/ssh/sshd_config", files.main);
    if (!files.drop_in.empty()) {
        host.file("/etc/ssh/sshd_config.d/50-cloud-init.conf", files.drop_in);
    }
    if (!files.environment.empty()) {
        host.file("/etc/default/ssh", files.environment);
    }
    Facts facts(host, 0);
    return facts.get<SshdConfig>().value();
}

std::string root_login(const Files& files, const SshdConnection& connection = {})
{
    const auto effective = evaluate_sshd(config_of(files), &connection);
    return effective.values.at("permitrootlogin").front().text;
}

const std::string kInclude = "Include /etc/ssh/sshd_config.d/*.conf\n";

// The table of what other scanners get wrong; the truth is `sshd -T`.
TEST(Sshd, RootLoginAsSshdSeesIt)
{
    EXPECT_EQ(root_login({kInclude + "PermitRootLogin no\n", "PermitRootLogin yes\n"}), "yes");
    EXPECT_EQ(root_login({kInclude, "PermitRootLogin no\n"}), "no");
    EXPECT_EQ(root_login({"Match User bob\nPermitRootLogin no\n"}), "without-password");
    EXPECT_EQ(root_login({"PermitRootLogin=no\n"}), "no");
    EXPECT_EQ(root_login({"PermitRootLogin \"no\"\n"}), "no");
    EXPECT_EQ(root_login({"PermitRootLogin no\nPermitRootLogin yes\n"}), "no");
    EXPECT_EQ(root_login({"PermitRootLogin no\r\n"}), "no");
    EXPECT_EQ(root_login({"PermitRootLogin no # yes\n"}), "no");
    EXPECT_EQ(root_login({"#PermitRootLogin no\n"}), "without-password");
    const Files by_address{"PermitRootLogin no\nMatch Address 10.0.0.0/8\nPermitRootLogin yes\n"};
    EXPECT_EQ(root_login(by_address), "no");
    EXPECT_EQ(root_login(by_address, {"root", {}, "", "10.1.1.1", "", 22}), "yes");
    EXPECT_EQ(root_login({"PermitRootLogin yes\nMatch all\nPermitRootLogin no\n"}), "no");
    EXPECT_EQ(root_login({"PermitRootLogin no\n", "", "SSHD_OPTS=\"-o PermitRootLogin=yes\"\n"}), "yes");
    EXPECT_EQ(root_login({""}), "without-password");
}

TEST(Sshd, ValuesSayWhereTheyAre)
{
    const auto effective = evaluate_sshd(config_of({kInclude + "MaxSessions 4\n", "\nMaxSessions 8\n"}), nullptr);
    EXPECT_EQ(effective.values.at("maxsessions").front().origin.text(), "/etc/ssh/sshd_config.d/50-cloud-init.conf:2");
    EXPECT_EQ(effective.values.at("maxauthtries").front().origin.text(), "");
}

TEST(Sshd, AMatchOfAnIncludeEndsWithIt)
{
    const Files files{kInclude + "MaxAuthTries 3\n", "Match User bob\nMaxAuthTries 9\n"};
    const auto effective = evaluate_sshd(config_of(files), nullptr);
    EXPECT_EQ(effective.values.at("maxauthtries").front().text, "3");
    EXPECT_TRUE(effective.problems.empty());
}

TEST(Sshd, OverridesOfMatchBlocks)
{
    const auto config = config_of({"PermitRootLogin no\nMatch User bob\nX11Forwarding yes\nX11Forwarding no\n"
                                   "Match Address 10.0.0.0/8 User root\nPermitRootLogin yes\n"});
    const auto overrides = sshd_overrides(config);
    ASSERT_EQ(overrides.size(), 2U);
    EXPECT_EQ(overrides[0].value.text, "yes");
    EXPECT_EQ(overrides[1].match.text(), "/etc/ssh/sshd_config:5");
    EXPECT_FALSE(may_match_user(overrides[0].criteria, "root"));
    EXPECT_TRUE(may_match_user(overrides[1].criteria, "root"));
}

TEST(Sshd, WhatItRefusesIsAProblem)
{
    for (const std::string text : {"PermitRootLogin maybe\n", "NoSuch yes\n", "PermitRootLogin\n", "Banner \"x\n",
                                   "PermitRootLogin no yes\n", "Match\n", "Match Frob x\n", "Match all User x\n",
                                   "Match Address 10.0.0.1/8\n", "Match User bob\nUsePAM yes\n", "MaxAuthTries x\n",
                                   "MaxStartups 10:0:5\n", "ClientAliveInterval 5y\n", "Include \"\"\n"}) {
        EXPECT_FALSE(evaluate_sshd(config_of({text}), nullptr).problems.empty()) << text;
    }
    EXPECT_TRUE(evaluate_sshd(config_of({"\n  # c\n\t\nPort 22\nProtocol 2\n"}), nullptr).problems.empty());
}

TEST(Sshd, IncludesThatNeverEnd)
{
    const auto config = config_of({"Include sshd_config\nMaxSessions 4\n"});
    EXPECT_FALSE(evaluate_sshd(config, nullptr).problems.empty());
    host::MemoryHost host;
    host.file("/etc/ssh/sshd_config", "Include sshd_config\nInclude sshd_config\nInclude sshd_config\n");
    Facts facts(host, 0);
    EXPECT_EQ(facts.get<SshdConfig>().error().kind, ErrorKind::Exhausted);
}

TEST(Sshd, AbsentAndUnreadable)
{
    host::MemoryHost host;
    Facts facts(host, 0);
    EXPECT_FALSE(facts.get<SshdConfig>().value().is_installed);
    EXPECT_FALSE(facts.get<SshdConfig>().value().is_there);
    host::MemoryHost broken;
    broken.file("/etc/ssh/sshd_config", kInclude).directory("/etc/ssh/sshd_config.d");
    broken.broken("/etc/ssh/sshd_config.d", system_error(EACCES, "listing"));
    Facts others(broken, 0);
    EXPECT_FALSE(others.get<SshdConfig>().ok()) << "a folder that cannot be listed may hold anything";
}

TEST(Sshd, ListsChangeTheDefaultOfTheVersion)
{
    EXPECT_EQ(assemble_algorithms("-b*", "a,b1,b2,c"), "a,c");
    EXPECT_EQ(assemble_algorithms("+c,d", "a,c"), "a,c,d");
    EXPECT_EQ(assemble_algorithms("^c", "a,b,c"), "c,a,b");
    EXPECT_EQ(assemble_algorithms("x,y", "a"), "x,y");
    EXPECT_NE(sshd_algorithms("kexalgorithms", "8.7").find("curve25519"), std::string::npos);
    EXPECT_EQ(sshd_algorithms("kexalgorithms", ""), "") << "not known is not a default";
    auto config = config_of({"Ciphers -aes*\n"});
    EXPECT_EQ(evaluate_sshd(config, nullptr).values.at("ciphers").front().text, "chacha20-poly1305@openssh.com");
    config.version.clear();
    EXPECT_FALSE(evaluate_sshd(config, nullptr).values.contains("ciphers"));
}

TEST(Sshd, Patterns)
{
    EXPECT_EQ(match_pattern_list("bob", "a*,b?b"), 1);
    EXPECT_EQ(match_pattern_list("bob", "*,!bob"), -1);
    EXPECT_EQ(match_pattern_list("bob", "!eve"), 0);
    EXPECT_EQ(match_pattern_list(std::string(200, 'a'), "*a*a*a*a*a*a*a*a*b"), 0);
    EXPECT_EQ(match_address_list("2001:db8::1", "2001:db8::/32"), 1);
    EXPECT_EQ(match_address_list("10.1.1.1", "10.0.0.1/8"), -2);
    EXPECT_EQ(match_address_list("10.1.1.1", "!10.1.0.0/16,10.*"), -1);
    EXPECT_EQ(sshd_version_in("OpenSSH_9.6p1 x"), "9.6");
    EXPECT_EQ(sshd_version_in("OpenSSH_ OpenSSH_6.5*"), "");
}

} // namespace
} // namespace hostward::hardening
