// SPDX-License-Identifier: Apache-2.0
// Packet filters: numbers, rules of nft and iptables, what becomes of packets, ufw and firewalld.
#include "hardening/models/firewall.h"
#include "hardening/models/firewalld.h"
#include "hardening/models/iptables.h"
#include "hardening/models/nft.h"
#include "hardening/models/packet_walk.h"
#include "hardening/models/ufw.h"

#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using host::MemoryHost;
using testing::ElementsAre;

TEST(NumberSet, IsASet)
{
    NumberSet set(10, 20);
    set.add(30, 40);
    set.add(21, 25); // touches
    EXPECT_THAT(set.ranges(), ElementsAre(NumberSet::Range{10, 25}, NumberSet::Range{30, 40}));
    set.add(0, kWideMax);
    EXPECT_EQ(set, NumberSet::all());
    EXPECT_TRUE(set.complement().empty());
    EXPECT_EQ(NumberSet().complement(), NumberSet::all());
    EXPECT_TRUE(NumberSet(5, 4).empty());
    const NumberSet top(kWideMax, kWideMax);
    EXPECT_EQ(top.complement(), NumberSet(0, kWideMax - 1));
    EXPECT_TRUE(NumberSet(1, 9).and_also(NumberSet(10, 11)).empty());
    EXPECT_EQ(NumberSet(1, 9).and_also(NumberSet(9, 11)), NumberSet(9, 9));
}

TEST(Addresses, AllForms)
{
    EXPECT_EQ(*parse_addresses("127.0.0.0/8", IpFamily::V4), NumberSet(0x7f000000, 0x7fffffff));
    EXPECT_EQ(*parse_addresses("127.0.0.0/255.0.0.0", IpFamily::V4), NumberSet(0x7f000000, 0x7fffffff));
    EXPECT_EQ(*parse_addresses("127.0.0.1-127.0.0.3", IpFamily::V4), NumberSet(0x7f000001, 0x7f000003));
    EXPECT_EQ(*parse_addresses("0.0.0.0/0", IpFamily::V4), NumberSet(0, 0xffffffff));
    EXPECT_EQ(*parse_addresses("::/0", IpFamily::V6), NumberSet::all());
    EXPECT_EQ(*parse_addresses("::1", IpFamily::V6), NumberSet(1, 1));
    for (const char* wrong :
         {"", "127.0.0.1/33", "127.0.0.1/x", "host.example", "127.0.0.1/255.0.255.0", "127.0.0.3-127.0.0.1", "::1"}) {
        EXPECT_FALSE(parse_addresses(wrong, IpFamily::V4)) << wrong;
    }
}

/// What becomes of all packets of one kind: `accepted`, `dropped`, `both`, with `?` where it is not certain.
std::string fate(const FilterRules& rules, PacketKind packets)
{
    const auto found = fate_of(rules, packets);
    if (!found) {
        return "error: " + found.error().text;
    }
    const std::string accepted = found->accepted ? (found->accepted->is_certain ? "accepted" : "accepted?") : "";
    const std::string dropped = found->dropped ? (found->dropped->is_certain ? "dropped" : "dropped?") : "";
    return accepted + (accepted.empty() || dropped.empty() ? "" : " ") + dropped;
}

PacketKind spoofed(IpFamily family)
{
    auto kind = packets_in(family, false);
    kind[PacketField::Source] = *parse_addresses(family == IpFamily::V4 ? "127.0.0.0/8" : "::1", family);
    return kind;
}

FilterRules nft(const std::string& text)
{
    FilterRules rules;
    NftNames names;
    parse_nft_text(text, "f", rules, names, [](const std::string&) {});
    return rules;
}

FilterRules nft_input(const std::string& body, const std::string& policy = "drop")
{
    return nft("table inet f {\n chain input {\n type filter hook input priority filter; policy " + policy + ";\n" +
               body + "\n }\n chain ours {\n ip saddr 127.0.0.0/8 drop\n return\n }\n}\n");
}

struct LoopbackCase {
    const char* rules;
    const char* over_lo;
    const char* from_elsewhere;
};

TEST(Nft, LoopbackByRules)
{
    constexpr std::array kCases{
        LoopbackCase{"iif lo accept\nip saddr 127.0.0.0/8 drop\nct state established accept\ntcp dport 22 accept",
                     "accepted", "dropped"},
        LoopbackCase{"iifname \"lo\" counter packets 1 bytes 2 accept; ip saddr 127.0.0.0/8 counter drop", "accepted",
                     "dropped"},
        // Order decides.
        LoopbackCase{"ip saddr 127.0.0.0/8 drop\niif lo accept", "accepted dropped", "dropped"},
        LoopbackCase{"iif lo accept\ntcp dport 22 accept\nip saddr 127.0.0.0/8 drop", "accepted", "accepted dropped"},
        LoopbackCase{"iif != lo ip saddr 127.0.0.0/8 drop\nip saddr 127.0.0.0/8 accept", "accepted dropped", "dropped"},
        // A policy decides as well as a rule.
        LoopbackCase{"iif lo accept", "accepted", "dropped"},
        LoopbackCase{"", "dropped", "dropped"},
        LoopbackCase{"iif lo accept\naccept", "accepted", "accepted"},
        // Another interface, another address, a part of either.
        LoopbackCase{"iif eth0 accept", "dropped", "accepted dropped"},
        LoopbackCase{"iifname \"l*\" accept", "accepted", "accepted dropped"},
        LoopbackCase{"iifname { \"lo\", \"eth0\" } accept", "accepted", "accepted dropped"},
        LoopbackCase{"iif lo accept\nip saddr 127.0.0.1 drop\naccept", "accepted", "accepted dropped"},
        LoopbackCase{"iif lo accept\nip saddr { 127.0.0.0/9, 127.128.0.0/9 } drop\naccept", "accepted", "dropped"},
        LoopbackCase{"iif lo accept\nip saddr != 127.0.0.0/8 accept", "accepted", "dropped"},
        LoopbackCase{"iif lo accept\nip saddr 10.0.0.0/8 accept", "accepted", "dropped"},
        LoopbackCase{"iif lo accept\nip6 saddr ::1 drop\nmeta nfproto ipv6 accept", "accepted", "dropped"},
        LoopbackCase{"ip protocol tcp accept\nmeta l4proto != tcp iif lo accept", "accepted", "accepted dropped"},
        // Something is dropped before lo is accepted.
        LoopbackCase{"tcp dport 22 drop\niif lo accept", "accepted dropped", "dropped"},
        LoopbackCase{"tcp dport 22 drop\ntcp dport 22 accept", "dropped", "dropped"},
        LoopbackCase{"ct state invalid drop\niif lo accept", "accepted", "dropped"},
        LoopbackCase{"ct state vmap { invalid : drop, established: accept, related : accept }\niif lo accept",
                     "accepted", "dropped"},
        // Other chains.
        LoopbackCase{"iif lo accept\njump ours\naccept", "accepted", "dropped"},
        LoopbackCase{"iif lo accept\ntcp dport 22 jump ours\naccept", "accepted", "accepted dropped"},
        LoopbackCase{"iif lo accept\ngoto ours\naccept", "accepted", "dropped"},
        LoopbackCase{"iif lo accept\niif vmap { eth0 : jump ours, eth1 : accept }", "accepted", "accepted dropped"},
        // What we do not understand is neither.
        LoopbackCase{"meta mark 7 accept", "accepted? dropped?", "accepted? dropped?"},
        LoopbackCase{"meta mark 7 drop\niif lo accept", "accepted? dropped?", "dropped"},
        LoopbackCase{"limit rate 5/second accept", "accepted dropped", "accepted dropped"},
        LoopbackCase{"icmp type echo-request accept\nip protocol icmp icmp type != echo-request drop\niif lo accept",
                     "accepted dropped?", "accepted dropped"},
        LoopbackCase{"tcp flags syn drop\niif lo accept", "accepted dropped?", "dropped"},
        LoopbackCase{"icmp type echo-request limit rate 5/second burst 5 packets accept", "accepted? dropped",
                     "accepted? dropped"},
        LoopbackCase{"queue", "accepted? dropped?", "accepted? dropped?"},
        LoopbackCase{"tcp dport @nowhere accept", "accepted? dropped", "accepted? dropped"},
        LoopbackCase{"# iif lo accept", "dropped", "dropped"},
        LoopbackCase{"log prefix \"accept \" level warn\niif lo accept comment \"drop\"", "accepted", "dropped"},
    };
    for (const auto& one : kCases) {
        const auto rules = nft_input(one.rules);
        EXPECT_EQ(rules.doubt, "");
        EXPECT_EQ(fate(rules, packets_in(IpFamily::V4, true)), one.over_lo) << one.rules;
        EXPECT_EQ(fate(rules, spoofed(IpFamily::V4)), one.from_elsewhere) << one.rules;
    }
}

TEST(Nft, EveryChainOfAHookDecides)
{
    const std::string open = "table ip a { chain i { type filter hook input priority -10; iif lo accept; accept; } }\n";
    const std::string strict =
        "table inet b { chain i { type filter hook input priority filter + 5; policy drop; iif lo accept; } }\n";
    EXPECT_EQ(fate(nft(open + strict), spoofed(IpFamily::V4)), "dropped");
    EXPECT_EQ(fate(nft(open + strict), packets_in(IpFamily::V4, true)), "accepted");
    EXPECT_EQ(fate(nft(open), spoofed(IpFamily::V6)), "accepted"); // no chain is about IPv6
    const std::string early = "table inet c { chain p { type filter hook prerouting priority raw; iif lo drop; } }\n";
    EXPECT_EQ(fate(nft(strict + early), packets_in(IpFamily::V4, true)), "dropped");
    EXPECT_EQ(nft(early).chains.front().priority, -300);
}

TEST(Nft, CommandsAndNames)
{
    const auto rules =
        nft("flush ruleset\ndefine ports = { 22, 80 }\nadd table ip f\n"
            "add chain ip f in { type filter hook input priority 0 ; policy drop ; }\n"
            "add set ip f s { type ipv4_addr; flags interval; elements = { 10.0.0.0/8,\n 127.0.0.0/8 } }\n"
            "add rule ip f in ip saddr @s drop\nadd rule f in tcp dport $ports accept\n"
            "insert rule ip f in iif lo accept\n");
    EXPECT_EQ(rules.doubt, "");
    ASSERT_EQ(rules.chains.size(), 1U);
    EXPECT_TRUE(rules.chains[0].drops);
    EXPECT_EQ(fate(rules, packets_in(IpFamily::V4, true)), "accepted");
    EXPECT_EQ(fate(rules, spoofed(IpFamily::V4)), "dropped");
}

TEST(Nft, WhatTheTextDoesNotSayIsADoubt)
{
    for (const char* text :
         {"table inet f { flags dormant; }", "frobnicate x", "delete rule inet f in handle 3",
          "table ip a { chain b { accept; } }\ndelete table ip a", "table ip a { include \"x\"; }"}) {
        EXPECT_NE(nft(text).doubt, "") << text;
    }
    // How many files begin.
    EXPECT_EQ(nft("table inet f\ndelete table inet f\ntable inet f { }").doubt, "");
    EXPECT_EQ(nft("table ip a { chain b { accept; } }\nflush ruleset").tables.size(), 0U);
}

TEST(Nft, HostileText)
{
    for (const char* text :
         {"table", "table inet", "table inet f {", "table inet f { chain", "chain }}}}", "{{{{{{", "\"", "\\",
          "table inet f { chain c { type filter hook input priority", "add", "define", "include",
          "table inet f { chain c { ip saddr { 1.2.3.4", "table inet f { chain c { tcp dport vmap {",
          "table inet f { set s { elements", "insert rule", "flush", "table inet f { chain c { ct state } }"}) {
        (void)nft(text);
    }
    // Chains that call each other without end.
    const auto circle = nft("table ip f { chain i { type filter hook input priority 0; jump a; }\nchain a { jump b; "
                            "}\n chain b { jump a; } }");
    EXPECT_THAT(fate(circle, packets_in(IpFamily::V4, true)), testing::HasSubstr("more than 16 deep"));
    // Rules that split packets again and again end in an error, not in minutes.
    std::string rules;
    for (int i = 0; i < 1000; ++i) {
        rules += "ip saddr 127." + std::to_string(i / 100) + "." + std::to_string(i % 100) + ".1 ip daddr 10." +
                 std::to_string(i % 250) + ".0." + std::to_string(i % 99) + " tcp dport " + std::to_string(i) +
                 " jump ours\n";
    }
    EXPECT_THAT(fate(nft_input(rules), spoofed(IpFamily::V4)),
                testing::AnyOf(testing::HasSubstr("too often"), "dropped"));
}

constexpr auto kJson = R"({"nftables": [{"metainfo": {"version": "1.0.6", "json_schema_version": 1}},
 {"table": {"family": "inet", "name": "f", "handle": 1}},
 {"set": {"family": "inet", "name": "s", "table": "f", "type": "inet_service", "handle": 5, "elem": [22, {"range": [80, 90]}]}},
 {"chain": {"family": "inet", "table": "f", "name": "ours", "handle": 1}},
 {"chain": {"family": "inet", "table": "f", "name": "input", "handle": 2, "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}},
 {"rule": {"family": "inet", "table": "f", "chain": "input", "handle": 7, "expr": [{"match": {"op": "==", "left": {"meta": {"key": "iif"}}, "right": "lo"}}, {"accept": null}]}},
 {"rule": {"family": "inet", "table": "f", "chain": "input", "handle": 8, "expr": [{"vmap": {"key": {"ct": {"key": "state"}}, "data": {"set": [["invalid", {"drop": null}], ["established", {"accept": null}]]}}}]}},
 {"rule": {"family": "inet", "table": "f", "chain": "input", "handle": 9, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": {"prefix": {"addr": "127.0.0.0", "len": 8}}}}, {"counter": {"packets": 0, "bytes": 0}}, {"jump": {"target": "ours"}}]}},
 {"rule": {"family": "inet", "table": "f", "chain": "ours", "handle": 10, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": "@s"}}, RULE]}}]})";

std::string json_with(const std::string& rule)
{
    std::string text = kJson;
    return text.replace(text.find("RULE"), 4, rule);
}

TEST(NftJson, RulesAndSets)
{
    const auto drops = parse_nft_json(json_with(R"({"drop": null})"));
    ASSERT_TRUE(drops) << drops.error().text;
    EXPECT_EQ(fate(*drops, packets_in(IpFamily::V4, true)), "accepted");
    EXPECT_EQ(fate(*drops, spoofed(IpFamily::V4)), "dropped");
    const auto accepts = parse_nft_json(json_with(R"({"accept": null})"));
    EXPECT_EQ(fate(*accepts, spoofed(IpFamily::V4)), "accepted dropped");
    const auto unknown = parse_nft_json(json_with(R"({"ct count": {"val": 3}}, {"accept": null})"));
    EXPECT_EQ(fate(*unknown, spoofed(IpFamily::V4)), "accepted? dropped");
    const auto reject = parse_nft_json(json_with(R"({"reject": {"type": "tcp reset"}})"));
    EXPECT_EQ(fate(*reject, spoofed(IpFamily::V4)), "dropped");
}

TEST(NftJson, HostileDocuments)
{
    for (const char* wrong :
         {"", "{", "[]", "null", "{\"nftables\": 3}", "{\"nftables\": [{\"rule\": {\"chain\": \"x\"}}]}"}) {
        EXPECT_FALSE(parse_nft_json(wrong)) << wrong;
    }
    for (const char* odd : {"{\"nftables\": []}",
                            "{\"nftables\": [3, null, {}, {\"table\": []}, {\"chain\": \"x\"}, {\"set\": null}]}"}) {
        EXPECT_TRUE(parse_nft_json(odd)) << odd;
    }
    const std::string deep(20'000, '[');
    EXPECT_FALSE(parse_nft_json("{\"nftables\": " + deep));
    const auto nested = parse_nft_json("{\"nftables\": " + deep + std::string(deep.size(), ']') + "}");
    (void)nested; // either, but it ends
    for (const char* rule :
         {"3", "null", "{}", R"({"match": null})", R"({"vmap": {"key": 3, "data": {"set": [3, []]}}})",
          R"({"match": {"op": "==", "left": {"payload": 3}, "right": {"range": [1]}}})", R"({"xt": []})",
          R"({"jump": null})", R"({"limit": 3})"}) {
        const auto parsed = parse_nft_json(json_with(rule));
        ASSERT_TRUE(parsed) << rule;
        (void)fate(*parsed, spoofed(IpFamily::V4));
    }
}

FilterRules tables(const std::string& body, const std::string& policy = "DROP", const std::string& family = "ip")
{
    FilterRules rules;
    parse_iptables("# saved\n*filter\n:INPUT " + policy +
                       " [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT DROP [0:0]\n:ours - [0:0]\n" + body +
                       "\n-A ours -s 127.0.0.0/8 -j DROP\nCOMMIT\n# done\n",
                   "f", family, rules);
    return rules;
}

TEST(Iptables, LoopbackByRules)
{
    constexpr std::array kCases{
        LoopbackCase{
            "-A INPUT -i lo -j ACCEPT\n-A INPUT -s 127.0.0.0/8 -j DROP\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT",
            "accepted", "dropped"},
        LoopbackCase{"[5:6] -A INPUT -i lo -m comment --comment \"-j DROP\" -j ACCEPT", "accepted", "dropped"},
        LoopbackCase{"-A INPUT ! -i lo -s 127.0.0.0/8 -j DROP\n-A INPUT -j ACCEPT", "accepted", "dropped"},
        LoopbackCase{
            "-A INPUT -i ! lo -s 127.0.0.0/255.0.0.0 -j REJECT --reject-with icmp-port-unreachable\n-A INPUT -j ACCEPT",
            "accepted", "dropped"},
        LoopbackCase{"-A INPUT -i l+ -j ACCEPT", "accepted", "accepted dropped"},
        LoopbackCase{"-A INPUT -j ours\n-A INPUT -i lo -j ACCEPT", "accepted dropped", "dropped"},
        LoopbackCase{"-A INPUT -i lo -j ACCEPT\n-A INPUT -g ours\n-A INPUT -j ACCEPT", "accepted", "dropped"},
        LoopbackCase{"-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A INPUT -i lo -j ACCEPT",
                     "accepted", "dropped"},
        LoopbackCase{"-A INPUT -m state --state NEW -m tcp -p tcp --dport 22 -j ACCEPT\n-A INPUT -i lo -j ACCEPT",
                     "accepted", "accepted dropped"},
        LoopbackCase{"-A INPUT -p tcp -m multiport --dports 22,80:90 -j DROP\n-A INPUT -i lo -j ACCEPT",
                     "accepted dropped", "dropped"},
        LoopbackCase{"-A INPUT -p tcp -m multiport ! --dports 22 -j ACCEPT\n-A INPUT -p tcp --dport 22 -j ACCEPT\n-A "
                     "INPUT ! -p tcp -j ACCEPT",
                     "accepted", "accepted"},
        LoopbackCase{"-A INPUT -m recent --update --seconds 5 -j DROP\n-A INPUT -i lo -j ACCEPT", "accepted? dropped?",
                     "dropped"},
        LoopbackCase{"-A INPUT -m limit --limit 3/min -j LOG --log-prefix \"x -j ACCEPT\"\n-A INPUT -i lo -j ACCEPT",
                     "accepted", "dropped"},
        LoopbackCase{"-A INPUT -j NFQUEUE --queue-num 3", "accepted? dropped?", "accepted? dropped?"},
        LoopbackCase{"-A INPUT -j SOMETHING", "accepted? dropped?", "accepted? dropped?"},
        LoopbackCase{"-A INPUT -j DROP\n-I INPUT -i lo -j ACCEPT", "accepted", "dropped"},
        LoopbackCase{"-A INPUT -j RETURN\n-A INPUT -i lo -j ACCEPT", "dropped", "dropped"},
        LoopbackCase{"-P INPUT ACCEPT", "accepted", "accepted"},
        LoopbackCase{"-A INPUT -p all -j ACCEPT", "accepted", "accepted"},
        LoopbackCase{"-A INPUT -p tcp --syn -j ACCEPT\n-A INPUT -p tcp ! --syn -j DROP\n-A INPUT -i lo -j ACCEPT",
                     "accepted", "accepted dropped"},
        LoopbackCase{"-A INPUT -s 127.0.0.1,127.0.0.2 -j ACCEPT", "accepted dropped", "accepted dropped"},
    };
    for (const auto& one : kCases) {
        const auto rules = tables(one.rules);
        EXPECT_EQ(rules.doubt, "") << one.rules;
        EXPECT_EQ(fate(rules, packets_in(IpFamily::V4, true)), one.over_lo) << one.rules;
        EXPECT_EQ(fate(rules, spoofed(IpFamily::V4)), one.from_elsewhere) << one.rules;
    }
}

TEST(Iptables, SixIsAnotherDoor)
{
    const auto rules = tables("-A INPUT -i lo -j ACCEPT\n-A INPUT -s ::1/128 -j DROP", "ACCEPT", "ip6");
    EXPECT_EQ(fate(rules, spoofed(IpFamily::V6)), "dropped");
    EXPECT_EQ(fate(rules, spoofed(IpFamily::V4)), "accepted");
}

TEST(Iptables, HostileText)
{
    FilterRules rules;
    parse_iptables(
        "-A\n-A INPUT\n-A INPUT -j\n-A INPUT !\n-I INPUT 99999999999999999999 -j DROP\n-I INPUT 0 -j "
        "DROP\n:\n*\n-P\n-N\n"
        "-A INPUT -i\n-A INPUT -p -j ACCEPT\n-A INPUT --dport : -j ACCEPT\n-A x -j x\n-A INPUT -j x\n[\n[1:2]\n\"\n",
        "f", "ip", rules);
    EXPECT_NE(rules.doubt, "");
    (void)fate(rules, spoofed(IpFamily::V4));
}

TEST(RunningNft, AsksTheProgram)
{
    MemoryHost host;
    Facts none(host, 0);
    EXPECT_EQ(none.get<RunningNft>().error().kind, ErrorKind::NotFound);
    host.program({"/usr/sbin/nft", "-j", "list", "ruleset"}, {1, "", "Operation not permitted (you must be root)\n"});
    Facts denied(host, 0);
    EXPECT_THAT(denied.get<RunningNft>().error().text, testing::HasSubstr("not permitted"));
    host.program({"/usr/sbin/nft", "-j", "list", "ruleset"}, {0, json_with(R"({"drop": null})"), ""});
    Facts facts(host, 0);
    ASSERT_TRUE(facts.get<RunningNft>());
    EXPECT_EQ(facts.get<RunningNft>()->rules.chains.size(), 2U);
    host.image();
    Facts image(host, 0);
    EXPECT_EQ(image.get<RunningNft>().error().kind, ErrorKind::Unsupported);
}

TEST(RunningIptables, BothKindsOfTables)
{
    MemoryHost host;
    host.program({"/usr/sbin/iptables-nft-save"}, {0, "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n", ""});
    host.program({"/usr/sbin/ip6tables-save"}, {0, "", ""});
    host.file("/proc/net/ip_tables_names", "filter\n");
    Facts missing(host, 0);
    EXPECT_FALSE(missing.get<RunningIptables>()); // legacy tables that nobody can list are not "no rules"
    host.program({"/usr/sbin/iptables-legacy-save"}, {0, "*filter\n:INPUT DROP [0:0]\nCOMMIT\n", ""});
    Facts facts(host, 0);
    const auto& running = facts.get<RunningIptables>();
    ASSERT_TRUE(running) << running.error().text;
    ASSERT_EQ(running->rules.chains.size(), 2U);
    EXPECT_TRUE(running->rules.chains[1].drops);
    EXPECT_EQ(running->rules.chains[1].hook, FilterHook::Input);
}

TEST(BootNft, FollowsTheUnitAndIncludes)
{
    MemoryHost host;
    host.file("/usr/lib/systemd/system/nftables.service",
              "[Service]\nExecStart=/sbin/nft -f /etc/sysconfig/nftables.conf\n");
    host.file("/etc/nftables.conf", "table ip wrong { }\n");
    host.file("/etc/sysconfig/nftables.conf", "include \"/etc/nftables/*.nft\"\n");
    host.file("/etc/nftables/a.nft", "table inet f { chain c { type filter hook input priority 0; policy drop; } }\n");
    Facts facts(host, 0);
    const auto& boot = facts.get<BootNft>();
    ASSERT_TRUE(boot) << boot.error().text;
    EXPECT_EQ(boot->file, "/etc/sysconfig/nftables.conf");
    ASSERT_EQ(boot->rules.chains.size(), 1U);
    EXPECT_EQ(boot->rules.chains[0].where.text(), "/etc/nftables/a.nft:1");
    host.file("/etc/nftables/a.nft", "include \"/etc/nftables/a.nft\"\n");
    Facts circle(host, 0);
    EXPECT_EQ(circle.get<BootNft>().error().kind, ErrorKind::Exhausted);
    host.file("/etc/nftables/a.nft", "include \"gone.nft\"\n");
    Facts gone(host, 0);
    EXPECT_FALSE(gone.get<BootNft>());
}

MemoryHost with_ufw(const std::string& user, const std::string& defaults = "")
{
    MemoryHost host;
    host.file("/etc/ufw/ufw.conf", "ENABLED=yes\n");
    host.file("/etc/default/ufw", "IPV6=no\nDEFAULT_INPUT_POLICY=\"DROP\"\nDEFAULT_OUTPUT_POLICY=\"ACCEPT\"\nDEFAULT_"
                                  "FORWARD_POLICY=\"REJECT\"\n" +
                                      defaults);
    host.file("/etc/ufw/before.rules", "*filter\n:ufw-before-input - [0:0]\n-A ufw-before-input -i lo -j ACCEPT\n"
                                       "-A ufw-before-input -m conntrack --ctstate INVALID -j ufw-logging-deny\n"
                                       "-A ufw-before-output -o lo -j ACCEPT\nCOMMIT\n");
    host.file("/etc/ufw/after.rules", "*filter\nCOMMIT\n");
    host.file("/etc/ufw/user.rules", "*filter\n:ufw-user-input - [0:0]\n### RULES ###\n" + user + "COMMIT\n");
    return host;
}

TEST(Ufw, IsWhatItsStartLoads)
{
    const auto host = with_ufw("-A ufw-user-input -p tcp --dport 22 -j ACCEPT\n");
    Facts facts(host, 0);
    const auto& ufw = facts.get<Ufw>();
    ASSERT_TRUE(ufw) << ufw.error().text;
    EXPECT_TRUE(ufw->is_enabled);
    EXPECT_FALSE(ufw->has_ipv6);
    EXPECT_TRUE(is_ufw_loaded(ufw->rules));
    EXPECT_EQ(ufw->rules.doubt, "");
    EXPECT_EQ(fate(ufw->rules, packets_in(IpFamily::V4, true)), "accepted");
    EXPECT_EQ(fate(ufw->rules, spoofed(IpFamily::V4)), "accepted dropped");
    EXPECT_EQ(fate(ufw->rules, spoofed(IpFamily::V6)), "dropped");
    EXPECT_EQ(fate(ufw->rules, packets_out_lo(IpFamily::V4)), "accepted");
    EXPECT_TRUE(ufw->rules.find("ip", "filter", "FORWARD")->drops);
    EXPECT_FALSE(ufw->rules.find("ip", "filter", "OUTPUT")->drops);
    EXPECT_EQ(ufw->rules.find("ip", "filter", "OUTPUT")->where.text(), "/etc/default/ufw:3");

    const auto safe =
        with_ufw("-A ufw-user-input -s 127.0.0.0/8 -j DROP\n-A ufw-user-input -p tcp --dport 22 -j ACCEPT\n");
    Facts safe_facts(safe, 0);
    EXPECT_EQ(fate(safe_facts.get<Ufw>()->rules, spoofed(IpFamily::V4)), "dropped");
}

TEST(Ufw, OffOrIncomplete)
{
    MemoryHost host;
    Facts absent(host, 0);
    EXPECT_FALSE(absent.get<Ufw>()->is_there);
    host.file("/etc/ufw/ufw.conf", "# ENABLED=yes\nENABLED=no\n");
    Facts off(host, 0);
    EXPECT_FALSE(off.get<Ufw>()->is_enabled);
    host.file("/etc/ufw/ufw.conf", "ENABLED=YES\n");
    Facts incomplete(host, 0);
    EXPECT_TRUE(incomplete.get<Ufw>()->is_enabled);
    EXPECT_NE(incomplete.get<Ufw>()->rules.doubt, "");
}

TEST(Firewalld, ZoneAndItsOpenings)
{
    MemoryHost host;
    host.file("/etc/firewalld/firewalld.conf", "# DefaultZone=drop\nDefaultZone=work\n");
    host.file("/usr/lib/firewalld/zones/work.xml",
              "<?xml version=\"1.0\"?>\n<!DOCTYPE zone [ <!ENTITY x \"y\"> ]>\n<zone target='DROP'><!-- <service "
              "name=\"no\"/> -->\n"
              "<service name=\"ssh\"/>\n<port protocol=\"tcp\" port=\"80-90\"/><rule family=\"ipv4\"><service "
              "name=\"inner\"/><drop/></rule></zone>");
    Facts facts(host, 0);
    const auto& firewalld = facts.get<Firewalld>();
    ASSERT_TRUE(firewalld);
    EXPECT_EQ(firewalld->zone.name, "work");
    EXPECT_EQ(firewalld->zone_where.text(), "/etc/firewalld/firewalld.conf:2");
    EXPECT_EQ(firewalld->zone.target, "DROP");
    EXPECT_THAT(firewalld->zone.opens, ElementsAre("service ssh", "port 80-90/tcp", "a rich rule"));
    host.file("/etc/firewalld/firewalld.conf", "DefaultZone=../../etc/shadow\n");
    Facts hostile(host, 0);
    EXPECT_EQ(hostile.get<Firewalld>()->zone.file, "");
}

TEST(Xml, HostileText)
{
    for (const char* text : {"<", "<a", "<a b", "<a b=", "<a b='", "<a b='c'", "</", "<!--", "<!", "<?", "<a =''/>",
                             "<><", "<a/<b/>", "<a b = \"&lt;&x;\">"}) {
        (void)xml_tags(text);
    }
    EXPECT_EQ(xml_tags("<a b = \"&lt;&x;\">")[0].attributes.at("b"), "<&x;");
}

} // namespace
} // namespace hostward::hardening
