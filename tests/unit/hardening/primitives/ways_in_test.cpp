// SPDX-License-Identifier: Apache-2.0
// Ways into an instance: keys, passwords, sshd's address, the serial console; and whether updates come by themselves.
#include "tests/unit/hardening/primitives/ec2_ask.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using host::MemoryHost;
using testing::HasSubstr;
using List = std::vector<std::string>;

constexpr auto kPasswd = "root:x:0:0::/root:/bin/bash\nbob:x:1000:1000::/home/bob:/bin/bash\n"
                         "daemon:x:1:1::/usr/sbin:/usr/sbin/nologin\n";

std::string base64(std::string text)
{
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const std::size_t padding = (3 - text.size() % 3) % 3;
    text.append(padding, '\0');
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += 3) {
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            bits = (bits << 8) | static_cast<unsigned char>(text[at + i]);
        }
        for (int shift = 18; shift >= 0; shift -= 6) {
            out += kAlphabet[(bits >> shift) & 0x3f];
        }
    }
    out.replace(out.size() - padding, padding, padding, '=');
    return out;
}

std::string packed(const std::string& text)
{
    return std::string{'\0', '\0', static_cast<char>(text.size() >> 8), static_cast<char>(text.size())} + text;
}

std::string rsa(std::size_t bits)
{
    return "ssh-rsa " + base64(packed("ssh-rsa") + packed("\x01\x01\x01") +
                               packed(std::string(1, '\0') + std::string(bits / 8, '\xff')));
}

std::string dsa() { return "ssh-dss " + base64(packed("ssh-dss") + packed(std::string(128, '\x7f'))); }
std::string ed25519(char fill = 'k')
{
    return "ssh-ed25519 " + base64(packed("ssh-ed25519") + packed(std::string(32, fill)));
}

MemoryHost with_keys(const std::string& text, std::uint32_t mode = 0600)
{
    MemoryHost host;
    host.file("/etc/passwd", kPasswd).directory("/home/bob", 0755, 1000, 1000);
    host.directory("/home/bob/.ssh", 0700, 1000, 1000).file("/home/bob/.ssh/authorized_keys", text, mode, 1000, 1000);
    return host;
}

Outcome keys(const MemoryHost& host)
{
    FakeSurroundings around;
    return outcome_of(kAuthorizedKeysPrimitive, host, around, {{"rsa_bits_at_least", std::int64_t{2048}}});
}

TEST(AuthorizedKeys, WeakOnesFail)
{
    for (const auto& good : {std::string(), std::string("\n# comment\n"), ed25519(), rsa(2048), rsa(4096) + " a b",
                             "from=\"10.0.0.0/8\",command=\"echo \\\"a b\\\"\" " + ed25519() + " bob@host",
                             std::string("garbage\nssh-rsa\nssh-rsa !!!\nssh-rsa AAAA\n")}) {
        EXPECT_EQ(word_of(keys(with_keys(good))), "pass") << good;
    }
    for (const auto& bad : {dsa(), rsa(1024), rsa(2040), "restrict " + rsa(1024), ed25519() + "\n" + dsa() + "\n",
                            "\t" + rsa(1024) + "\r\n"}) {
        EXPECT_EQ(word_of(keys(with_keys(bad))), "fail") << bad;
    }
    EXPECT_THAT(evidence_of(keys(with_keys("\n" + rsa(1024)))),
                HasSubstr("ssh-rsa of 1024 bits | /home/bob/.ssh/authorized_keys:2"));
}

TEST(AuthorizedKeys, FilesThatOthersWriteFail)
{
    EXPECT_EQ(word_of(keys(with_keys(ed25519(), 0644))), "pass");
    EXPECT_EQ(word_of(keys(with_keys(ed25519(), 0664))), "fail");
    auto folder = with_keys(ed25519());
    folder.directory("/home/bob/.ssh", 0770, 1000, 1000);
    EXPECT_EQ(word_of(keys(folder)), "fail");
    auto home = with_keys(ed25519());
    home.directory("/home/bob", 0777, 1000, 1000);
    EXPECT_EQ(word_of(keys(home)), "fail");
    auto stranger = with_keys(ed25519());
    stranger.file("/home/bob/.ssh/authorized_keys", ed25519(), 0600, 1001, 1001);
    EXPECT_EQ(word_of(keys(stranger)), "fail");
    auto roots = with_keys(ed25519());
    roots.file("/home/bob/.ssh/authorized_keys", ed25519(), 0644);
    EXPECT_EQ(word_of(keys(roots)), "pass");
}

TEST(AuthorizedKeys, TheirPlaceIsWhereSshdLooks)
{
    auto host = with_keys(dsa());
    host.file("/usr/sbin/sshd", "OpenSSH_9.2p1 x").file("/etc/ssh/sshd_config", "AuthorizedKeysFile /etc/keys/%u\n");
    EXPECT_EQ(word_of(keys(host)), "pass") << "sshd does not read the file in the home";
    host.file("/etc/keys/bob", dsa());
    EXPECT_EQ(word_of(keys(host)), "fail");
    host.file("/etc/ssh/sshd_config",
              "AuthorizedKeysFile none\nMatch User bob\nAuthorizedKeysFile %h/.ssh/authorized_keys\n");
    EXPECT_EQ(word_of(keys(host)), "fail");
}

TEST(AuthorizedKeys, WhatCannotBeReadIsNotFine)
{
    auto host = with_keys("");
    host.broken("/home/bob/.ssh/authorized_keys", {ErrorKind::Denied, 0, "no right"});
    EXPECT_THAT(word_of(keys(host)), HasSubstr("cannot-tell: 1 files could not be looked at: no right"));
    EXPECT_THAT(word_of(keys({})), HasSubstr("/etc/passwd is missing"));
}

TEST(AuthorizedKeysReview, PassesWithEc2sOwnAlone)
{
    FakeSurroundings around;
    const auto review = [&](const std::string& text) {
        const auto host = with_keys(text);
        return word_of(outcome_of(kAuthorizedKeysReviewPrimitive, host, around));
    };
    EXPECT_EQ(review(""), "pass");
    EXPECT_EQ(review(ed25519() + " me"), "manual") << "started without a key pair";
    around.items.emplace("meta-data/public-keys/0/openssh-key", ed25519() + " pair\n");
    EXPECT_EQ(review("no-pty " + ed25519() + " me"), "pass");
    EXPECT_EQ(review(ed25519() + "\n" + ed25519('x')), "manual");
    around.items.clear();
    around.items.emplace("meta-data/public-keys/0/openssh-key", Error{ErrorKind::System, 0, "nobody there"});
    const auto host = with_keys(ed25519());
    EXPECT_THAT(outcome_of(kAuthorizedKeysReviewPrimitive, host, around).reason, HasSubstr("nobody there"));
}

Outcome locked(const std::string& passwd, const std::string& shadow)
{
    MemoryHost host;
    FakeSurroundings around;
    host.file("/etc/passwd", passwd).file("/etc/shadow", shadow, 0640);
    return outcome_of(kPasswordLockedPrimitive, host, around, {{"user", List{"root", "bob", "absent"}}});
}

TEST(PasswordLocked, OnlyAPasswordThatLetsInFails)
{
    for (const auto* good : {"root:*:1::::::\nbob:!:1::::::\n", "root:!$6$a$b:1::::::\nbob:!!:1::::::\n", "", "# x\n",
                             "daemon:$6$a$b:1::::::\n"}) {
        EXPECT_EQ(word_of(locked(kPasswd, good)), "pass") << good;
    }
    const std::string hash = "$6$abcdefgh$" + std::string(86, 'a');
    for (const auto& bad :
         {"root:" + hash + ":1::::::\n", "root:*:1::::::\nbob:" + hash + ":1::::::\n", std::string("bob::1::::::\n")}) {
        EXPECT_EQ(word_of(locked(kPasswd, bad)), "fail") << bad;
    }
    EXPECT_EQ(word_of(locked("bob::1000:1000::/home/bob:/bin/sh\n", "")), "fail") << "no password at all";
    EXPECT_EQ(word_of(locked("x:x:1:1::/:/bin/sh\n", "")), "pass") << "none of them is there";
    MemoryHost host;
    FakeSurroundings around;
    host.file("/etc/passwd", kPasswd).broken("/etc/shadow", {ErrorKind::Denied, 0, "no right"});
    EXPECT_THAT(word_of(outcome_of(kPasswordLockedPrimitive, host, around, {{"user", List{"bob"}}})),
                HasSubstr("cannot-tell"));
}

constexpr auto kTcpHead =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

std::string listening(const std::string& address)
{
    return std::string(kTcpHead) + "   0: " + address +
           " 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1 0 100 0 0 10 0\n";
}

Outcome exposure(const std::string& config, const std::string& tcp, const std::string& everywhere = "fail")
{
    MemoryHost host;
    FakeSurroundings around;
    around.items.emplace("meta-data/public-ipv4", std::string("203.0.113.5"));
    host.file("/usr/sbin/sshd", "OpenSSH_9.2p1 x").file("/etc/ssh/sshd_config", config);
    host.file("/proc/self/net/tcp", tcp).file("/proc/self/net/tcp6", kTcpHead).file("/proc/self/net/udp", kTcpHead);
    host.file("/proc/self/net/udp6", kTcpHead);
    return outcome_of(kSshdExposurePrimitive, host, around, {{"everywhere", everywhere}});
}

TEST(SshdExposure, OfARunningHostIsItsSockets)
{
    EXPECT_EQ(word_of(exposure("", kTcpHead)), "pass");
    EXPECT_EQ(word_of(exposure("", listening("0100007F:0016"))), "pass");
    EXPECT_EQ(word_of(exposure("", listening("00000000:0016"))), "fail");
    EXPECT_THAT(evidence_of(exposure("", listening("00000000:0016"))), HasSubstr("no public address | 203.0.113.5"));
    EXPECT_EQ(word_of(exposure("", listening("00000000:0016"), "pass")), "pass");
    EXPECT_EQ(word_of(exposure("", listening("00000000:0016"), "manual")), "manual");
    EXPECT_EQ(word_of(exposure("", listening("0100000A:0016"))), "manual") << "one address: security groups decide";
    EXPECT_EQ(word_of(exposure("Port 2222\n", listening("00000000:0016"))), "pass") << "that is not sshd's";
    EXPECT_EQ(word_of(exposure("Port 2222\n", listening("00000000:08AE"))), "fail");
    EXPECT_EQ(word_of(exposure("ListenAddress 0.0.0.0:2222\n", listening("00000000:08AE"))), "fail");
    EXPECT_THAT(word_of(exposure("", "garbage\nmore\n")), HasSubstr("cannot-tell"));
}

TEST(SshdExposure, OfAnImageIsWhatItsFilesSay)
{
    MemoryHost host;
    FakeSurroundings around;
    const Given given{{"everywhere", std::string("fail")}};
    const auto word = [&] { return word_of(outcome_of(kSshdExposurePrimitive, host, around, given)); };
    host.image();
    EXPECT_EQ(word(), "not-applicable");
    host.file("/usr/sbin/sshd", "OpenSSH_9.2p1 x").file("/etc/ssh/sshd_config", "ListenAddress 127.0.0.1\n");
    host.file("/usr/lib/systemd/system/ssh.service", "[Service]\n[Install]\nWantedBy=multi-user.target\n");
    EXPECT_EQ(word(), "pass");
    host.file("/etc/ssh/sshd_config", "# nothing\n");
    EXPECT_EQ(word(), "pass") << "no unit starts it";
    host.link("/etc/systemd/system/multi-user.target.wants/ssh.service", "/usr/lib/systemd/system/ssh.service");
    EXPECT_EQ(word(), "fail");
    host.file("/etc/ssh/sshd_config", "ListenAddress 10.0.0.1\n");
    EXPECT_EQ(word(), "manual");
    host.file("/etc/ssh/sshd_config", "ListenAddress ::1\nListenAddress 0.0.0.0\n");
    EXPECT_EQ(word(), "fail");
    host.file("/etc/ssh/sshd_config", "ListenAddress localhost\n");
    EXPECT_EQ(word(), "pass");
}

Outcome console(MemoryHost& host)
{
    FakeSurroundings around;
    return outcome_of(kSerialConsolePrimitive, host, around);
}

TEST(SerialConsole, APromptFailsWithAPasswordBehindIt)
{
    const std::string hash = "$6$abcdefgh$" + std::string(86, 'a');
    MemoryHost host;
    host.file("/proc/cmdline", "root=/dev/xvda1 console=tty0 console=ttyS0,115200n8\n").file("/etc/passwd", kPasswd);
    host.file("/usr/lib/systemd/system/serial-getty@.service", "[Service]\nExecStart=-/sbin/agetty %I\n");
    host.file("/etc/shadow", "root:*:1::::::\nbob:!:1::::::\ndaemon:" + hash + ":1::::::\n");
    EXPECT_EQ(word_of(console(host)), "pass") << "a prompt that lets nobody in";
    host.file("/etc/shadow", "root:*:1::::::\nbob:" + hash + ":1::::::\n");
    EXPECT_EQ(word_of(console(host)), "fail");
    host.link("/etc/systemd/system/serial-getty@ttyS0.service", "/dev/null");
    EXPECT_EQ(word_of(console(host)), "pass") << "masked";
    host.link("/etc/systemd/system/getty.target.wants/serial-getty@ttyS1.service",
              "/usr/lib/systemd/system/serial-getty@.service");
    EXPECT_EQ(word_of(console(host)), "fail") << "another one is enabled";
    host.broken("/etc/shadow", {ErrorKind::Denied, 0, "no right"});
    EXPECT_THAT(word_of(console(host)), HasSubstr("cannot-tell"));
}

TEST(SerialConsole, APromptThatLogsInByItselfFails)
{
    MemoryHost host;
    host.file("/proc/cmdline", "console=hvc0\n").file("/etc/passwd", kPasswd).file("/etc/shadow", "root:*:1::::::\n");
    host.file("/usr/lib/systemd/system/serial-getty@.service", "[Service]\n");
    host.file("/etc/systemd/system/serial-getty@hvc0.service.d/a.conf",
              "[Service]\n#ExecStart=-/sbin/agetty --autologin root\n");
    EXPECT_EQ(word_of(console(host)), "pass");
    host.file("/etc/systemd/system/serial-getty@hvc0.service.d/a.conf",
              "[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin root %I\n");
    EXPECT_EQ(word_of(console(host)), "fail");
}

TEST(SerialConsole, NoPromptPasses)
{
    MemoryHost host;
    host.file("/proc/cmdline", "console=tty0 quiet\n").file("/etc/passwd", kPasswd);
    EXPECT_EQ(word_of(console(host)), "pass");
}

Outcome apt(const std::string& text)
{
    MemoryHost host;
    FakeSurroundings around;
    host.file("/etc/apt/apt.conf.d/20auto", text);
    host.file("/etc/apt/apt.conf.d/10periodic.dpkg-old", "APT::Periodic::Unattended-Upgrade \"1\";");
    return outcome_of(kAptSettingPrimitive, host, around,
                      {{"name", std::string("APT::Periodic::Unattended-Upgrade")}, {"none_of", List{"0"}}});
}

TEST(AptSetting, TheLastOneCounts)
{
    for (const auto* good :
         {"APT::Periodic::Unattended-Upgrade \"1\";", "apt::periodic::unattended-upgrade 1;",
          "APT { Periodic { Unattended-Upgrade \"7\"; }; };", "APT::Periodic { Unattended-Upgrade \"1\"; };",
          "APT::Periodic::Unattended-Upgrade \"0\";\nAPT::Periodic::Unattended-Upgrade \"1\";",
          "/* { */ APT::Periodic::Unattended-Upgrade \"always\"; // }\n"}) {
        EXPECT_EQ(word_of(apt(good)), "pass") << good;
    }
    for (const auto* bad :
         {"", "\n", "// APT::Periodic::Unattended-Upgrade \"1\";", "# APT::Periodic::Unattended-Upgrade \"1\";",
          "/* APT::Periodic::Unattended-Upgrade \"1\"; */", "APT::Periodic::Unattended-Upgrade \"0\";",
          "APT::Periodic::Unattended-Upgrade \"\";", "Periodic::Unattended-Upgrade \"1\";",
          "APT::Periodic::Unattended-Upgrade \"1\";\nAPT{Periodic{Unattended-Upgrade 0;}}",
          "APT::Periodic::Unattended-Upgrade:: \"1\";"}) {
        EXPECT_EQ(word_of(apt(bad)), "fail") << bad;
    }
    for (const auto* broken : {"APT {", "};", "APT \"1", "APT \"1\n\";"}) {
        EXPECT_THAT(word_of(apt(broken)), HasSubstr("cannot-tell")) << broken;
    }
    std::string deep;
    for (int i = 0; i < 1000; ++i) {
        deep += "a {";
    }
    EXPECT_THAT(word_of(apt(deep)), HasSubstr("50 braces"));
}

} // namespace
} // namespace hostward::hardening
