// SPDX-License-Identifier: Apache-2.0
// Firewalls: which one a host has, and what its rules do.
#include "hardening/primitives/primitives.h"

#include "tests/unit/hardening/primitives/outcome_of.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using host::Finished;
using host::MemoryHost;

constexpr auto kUnits = "/usr/lib/systemd/system/";
constexpr auto kWants = "/etc/systemd/system/multi-user.target.wants/";

/// A host with IPv4 only on which these units start at boot.
MemoryHost host_with(const std::vector<std::string>& units)
{
    MemoryHost host;
    host.file("/var/lib/dpkg/status", "");
    host.file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1\n");
    for (const auto& unit : units) {
        host.file(kUnits + unit, "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n");
        host.link(kWants + unit, kUnits + unit);
    }
    return host;
}

std::string verdict(const Primitive& primitive, const MemoryHost& host, Given arguments)
{
    return verdict_name(outcome_of(primitive, host, std::move(arguments)).verdict);
}

Given of(const std::string& name) { return {{"of", texts({name})}}; }

TEST(FirewallInUse, ExactlyOne)
{
    const Given none;
    EXPECT_EQ(verdict(kFirewallOnePrimitive, host_with({}), none), "fail");
    EXPECT_EQ(verdict(kFirewallOnePrimitive, host_with({"nftables.service"}), none), "pass");
    EXPECT_EQ(verdict(kFirewallOnePrimitive, host_with({"nftables.service", "firewalld.service"}), none), "fail");
    // ufw's unit starts on every Ubuntu; ufw has a switch of its own.
    auto host = host_with({"nftables.service", "ufw.service"});
    host.file("/etc/ufw/ufw.conf", "ENABLED=no\n");
    EXPECT_EQ(verdict(kFirewallOnePrimitive, host, none), "pass");
}

TEST(FirewallInUse, TheOthersDoNotApply)
{
    const auto host = host_with({"netfilter-persistent.service"});
    EXPECT_EQ(verdict(kFirewallInUsePrimitive, host, of("iptables")), "pass");
    const auto other = outcome_of(kFirewallHooksPrimitive, host, of("nftables"));
    EXPECT_EQ(other.verdict, Verdict::NotApplicable);
    EXPECT_EQ(other.reason, "iptables is in use");
    // None is: the one that is installed, else nftables, is what is asked about.
    auto nothing = host_with({});
    EXPECT_EQ(verdict(kFirewallInUsePrimitive, nothing, of("nftables")), "pass");
    nothing.file("/var/lib/dpkg/status",
                 "Package: ufw\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n");
    EXPECT_EQ(verdict(kFirewallInUsePrimitive, nothing, of("ufw")), "pass");
    EXPECT_EQ(verdict(kFirewallInUsePrimitive, nothing, of("nftables")), "not-applicable");
}

constexpr auto kGood = "table inet f {\n chain i { type filter hook input priority 0; policy drop;\n iif lo accept\n "
                       "ip saddr 127.0.0.0/8 drop\n }\n"
                       " chain f { type filter hook forward priority 0; policy drop; }\n chain o { type filter hook "
                       "output priority 0; policy drop; }\n}\n";

std::string chain(const std::string& hook, const std::string& policy)
{
    return R"(,{"chain":{"family":"inet","table":"f","name":")" + hook + R"(","type":"filter","hook":")" + hook +
           R"(","prio":0,"policy":")" + policy + "\"}}";
}
std::string running(const std::string& policy)
{
    return R"({"nftables":[{"table":{"family":"inet","name":"f"}})" + chain("input", policy) +
           chain("forward", policy) + chain("output", policy) +
           R"(,{"rule":{"family":"inet","table":"f","chain":"input","handle":4,"expr":[{"match":{"op":"==","left":{"meta":{"key":"iif"}},"right":"lo"}},{"accept":null}]}}]})";
}

MemoryHost nft_host(const std::string& file, const std::string& json)
{
    auto host = host_with({"nftables.service"});
    host.file("/etc/nftables.conf", file);
    host.program({"/usr/sbin/nft", "-j", "list", "ruleset"}, Finished{0, json, ""});
    return host;
}

TEST(FirewallRules, NowAndAtBootAreBothJudged)
{
    const auto good = nft_host(kGood, running("drop"));
    const auto lost_at_boot = nft_host("flush ruleset\n", running("drop"));
    const auto not_yet = nft_host(kGood, R"({"nftables":[]})");
    const auto open_now = nft_host(kGood, running("accept"));
    for (const auto* primitive :
         {&kFirewallTablePrimitive, &kFirewallHooksPrimitive, &kFirewallPolicyPrimitive, &kFirewallLoopbackPrimitive}) {
        EXPECT_EQ(verdict(*primitive, good, of("nftables")), "pass") << primitive->name;
        EXPECT_EQ(verdict(*primitive, lost_at_boot, of("nftables")), "fail") << primitive->name;
        EXPECT_EQ(verdict(*primitive, not_yet, of("nftables")), "fail") << primitive->name;
    }
    EXPECT_EQ(verdict(kFirewallPolicyPrimitive, open_now, of("nftables")), "fail");
    EXPECT_EQ(verdict(kFirewallHooksPrimitive, open_now, of("nftables")), "pass");
    EXPECT_EQ(verdict(kFirewallLoopbackPrimitive, open_now, of("nftables")), "fail");
    const auto outcome = outcome_of(kFirewallHooksPrimitive, lost_at_boot, of("nftables"));
    EXPECT_THAT(outcome.evidence.at(0).expected, testing::HasSubstr("at the next boot"));
}

TEST(FirewallRules, KeptMeansAsStrictAsNow)
{
    EXPECT_EQ(verdict(kFirewallKeptPrimitive, nft_host(kGood, running("drop")), {}), "pass");
    std::string lax = kGood;
    lax.replace(lax.find("policy drop"), 11, "policy accept");
    EXPECT_EQ(verdict(kFirewallKeptPrimitive, nft_host(lax, running("drop")), {}), "fail");
    EXPECT_EQ(verdict(kFirewallKeptPrimitive, nft_host("", running("drop")), {}), "fail");
    EXPECT_EQ(verdict(kFirewallKeptPrimitive, host_with({"nftables.service"}), {}), "fail"); // no file at all
    EXPECT_EQ(verdict(kFirewallKeptPrimitive, nft_host("frobnicate\n", running("drop")), {}), "cannot-tell");
}

TEST(FirewallRules, WhatCannotBeAskedIsNotFine)
{
    auto host = host_with({"nftables.service"});
    host.file("/etc/nftables.conf", kGood);
    EXPECT_EQ(verdict(kFirewallHooksPrimitive, host, of("nftables")), "cannot-tell"); // no nft
    host.file("/etc/nftables.conf", "");
    EXPECT_EQ(verdict(kFirewallHooksPrimitive, host, of("nftables")), "fail"); // what is told is enough
    host.file("/etc/nftables.conf", kGood);
    host.image();
    EXPECT_EQ(verdict(kFirewallHooksPrimitive, host, of("nftables")), "pass"); // the next boot is all an image has
    auto firewalld = host_with({"firewalld.service"});
    firewalld.image();
    EXPECT_EQ(verdict(kFirewallHooksPrimitive, firewalld, of("firewalld")), "cannot-tell");
}

constexpr auto kTcpHead =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

std::string listening(const std::string& address)
{
    return kTcpHead + ("   0: " + address +
                       " 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 9 1 0 100 0 0 10 0\n");
}

MemoryHost iptables_host(const std::string& rules, const std::string& sockets)
{
    auto host = host_with({"netfilter-persistent.service"});
    const std::string text =
        "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT DROP [0:0]\n:web - [0:0]\n" + rules + "COMMIT\n";
    host.file("/etc/iptables/rules.v4", text);
    host.program({"/usr/sbin/iptables-save"}, Finished{0, text, ""});
    host.program({"/usr/sbin/ip6tables-save"}, Finished{0, "", ""});
    host.file("/proc/self/net/tcp", sockets);
    host.file("/proc/self/net/udp", kTcpHead);
    return host;
}

TEST(FirewallPorts, ARuleNamesThePort)
{
    struct Case {
        const char* rule;
        const char* expected;
    };
    const Given four{{"of", texts({"iptables"})}, {"ip", texts({"4"})}};
    for (const auto& one : {Case{"-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n", "pass"},
                            Case{"-A INPUT -p tcp --dport 22 -j DROP\n", "pass"}, // refused is decided too
                            Case{"-A INPUT -p tcp -m multiport --dports 20:25,80 -j ACCEPT\n", "pass"},
                            Case{"-A INPUT -j web\n-A web -p tcp --dport 22 -j ACCEPT\n", "pass"},
                            Case{"-A web -p tcp --dport 22 -j ACCEPT\n", "fail"}, // nothing leads there
                            Case{"-A INPUT -p udp --dport 22 -j ACCEPT\n", "fail"},
                            Case{"-A INPUT -p tcp --sport 22 -j ACCEPT\n", "fail"},
                            Case{"-A INPUT -p tcp ! --dport 23 -j ACCEPT\n", "fail"},
                            Case{"-A INPUT -i lo -p tcp --dport 22 -j ACCEPT\n", "fail"},
                            Case{"-A INPUT -p tcp --dport 2200 -j ACCEPT\n", "fail"},
                            Case{"-A OUTPUT -p tcp --dport 22 -j ACCEPT\n", "fail"},
                            Case{"-A INPUT -j ACCEPT\n", "fail"}, Case{"-A INPUT -p tcp --dport 22 -j LOG\n", "fail"},
                            Case{"# -A INPUT -p tcp --dport 22 -j ACCEPT\n", "fail"}, Case{"", "fail"}}) {
        EXPECT_EQ(verdict(kFirewallPortsPrimitive, iptables_host(one.rule, listening("00000000:0016")), four),
                  one.expected)
            << one.rule;
        EXPECT_EQ(verdict(kFirewallPortsPrimitive, iptables_host(one.rule, listening("0100007F:0016")), four), "pass")
            << one.rule;
    }
    EXPECT_EQ(verdict(kFirewallPortsPrimitive, host_with({"netfilter-persistent.service"}), four), "cannot-tell");
    auto image = iptables_host("", "");
    image.image();
    EXPECT_EQ(verdict(kFirewallPortsPrimitive, image, four), "cannot-tell");
}

TEST(FirewallPolicy, Iptables)
{
    const Given four{{"of", texts({"iptables"})}, {"ip", texts({"4"})}};
    const Given six{{"of", texts({"iptables"})}, {"ip", texts({"6"})}};
    auto host = iptables_host("", "");
    EXPECT_EQ(verdict(kFirewallPolicyPrimitive, host, four), "pass");
    EXPECT_EQ(outcome_of(kFirewallPolicyPrimitive, host, six).reason, "IPv6 is switched off");
    host.file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "0\n");
    EXPECT_EQ(verdict(kFirewallPolicyPrimitive, host, six), "fail"); // nothing filters IPv6
    host.file("/etc/iptables/rules.v4",
              "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT DROP [0:0]\nCOMMIT\n");
    EXPECT_EQ(verdict(kFirewallPolicyPrimitive, host, four), "fail"); // lost at the next boot
}

TEST(FirewallReview, LeavesItToAPerson)
{
    const auto host =
        iptables_host("-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n-A INPUT -i lo -j ACCEPT\n", "");
    const auto outcome = outcome_of(kFirewallReviewPrimitive, host,
                                    {{"of", texts({"iptables"})}, {"ip", texts({"4"})}, {"show", Value("states")}});
    EXPECT_EQ(outcome.verdict, Verdict::Manual);
    EXPECT_EQ(outcome.evidence.size(), 2U); // now and at the next boot
    const auto blind = outcome_of(kFirewallReviewPrimitive, host_with({"nftables.service"}),
                                  {{"of", texts({"nftables"})}, {"show", Value("states")}});
    EXPECT_EQ(blind.verdict, Verdict::Manual);
    EXPECT_THAT(blind.reason, testing::HasSubstr("there is no nft"));
}

TEST(UfwOff, FilesAndKernel)
{
    auto host = host_with({});
    EXPECT_EQ(verdict(kUfwOffPrimitive, host, {}), "pass");
    host.file("/etc/ufw/ufw.conf", "ENABLED=no\n");
    EXPECT_EQ(verdict(kUfwOffPrimitive, host, {}), "cannot-tell"); // its chains may be there
    host.program({"/usr/sbin/ip6tables-save"}, Finished{0, "", ""});
    host.program({"/usr/sbin/iptables-save"}, Finished{0, "", ""});
    EXPECT_EQ(verdict(kUfwOffPrimitive, host, {}), "pass");
    host.program(
        {"/usr/sbin/iptables-save"},
        Finished{0, "*filter\n:INPUT DROP [0:0]\n:ufw-before-input - [0:0]\n-A INPUT -j ufw-before-input\nCOMMIT\n",
                 ""});
    EXPECT_EQ(verdict(kUfwOffPrimitive, host, {}), "fail");
    host.file("/etc/ufw/ufw.conf", "ENABLED=yes\n");
    EXPECT_EQ(verdict(kUfwOffPrimitive, host, {}), "fail");
    host.file("/usr/lib/systemd/system/ufw.service", "[Service]\nExecStart=/bin/true\n");
    host.image();
    EXPECT_EQ(verdict(kFirewallPolicyPrimitive, host, of("ufw")), "cannot-tell"); // its rules are not there to be read
}

TEST(FirewalldZone, ExistsAndIsNotOpen)
{
    const Given refused{{"refused", texts({"trusted"})}};
    auto host = host_with({"firewalld.service"});
    EXPECT_EQ(verdict(kFirewalldZonePrimitive, host, refused), "fail");
    host.file("/usr/lib/firewalld/zones/public.xml", "<zone><service name=\"ssh\"/></zone>");
    EXPECT_EQ(verdict(kFirewalldZonePrimitive, host, refused), "pass");
    host.file("/etc/firewalld/zones/public.xml", "<zone target=\"ACCEPT\"></zone>");
    EXPECT_EQ(verdict(kFirewalldZonePrimitive, host, refused), "fail");
    host.file("/etc/firewalld/firewalld.conf", "DefaultZone=gone\n");
    EXPECT_EQ(verdict(kFirewalldZonePrimitive, host, refused), "fail");
    host.file("/etc/firewalld/zones/trusted.xml", "<zone></zone>");
    host.file("/etc/firewalld/firewalld.conf", "DefaultZone=trusted\n");
    EXPECT_EQ(verdict(kFirewalldZonePrimitive, host, refused), "fail");
}

} // namespace
} // namespace hostward::hardening
