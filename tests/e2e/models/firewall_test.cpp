// SPDX-License-Identifier: Apache-2.0
// Random rules in a network namespace of the test's own, loaded by nft and by iptables-restore: what the models say of
// all packets of a kind is what the kernel does with one of each sort of them. The packets are real; a chain behind the
// rules writes down which came through.
#include "hardening/models/iptables.h"
#include "hardening/models/nft.h"
#include "hardening/models/packet_walk.h"
#include "tests/e2e/models/folder.h"
#include "tests/e2e/models/oracle.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <sched.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <fstream>
#include <set>

namespace hostward::hardening {
namespace {

using oracle::Random;

constexpr std::uint16_t kEtherIp = 0x0800;
constexpr std::uint32_t kHere = 0x0a090001; ///< 10.9.0.1, an address of the namespace
constexpr std::array<std::uint32_t, 4> kSources{0x7f000001, 0x7f000002, 0x7fc80001, 0x0a090002};
constexpr std::array<std::uint16_t, 4> kPorts{22, 80, 443, 9999};
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;

/// One sort of packet: what rules of this test ask about.
struct Packet {
    bool is_lo = false;
    std::uint32_t source = 0;
    std::uint8_t protocol = kTcp;
    std::uint16_t port = 0;
    std::uint16_t id = 0; ///< names it in the set of those that came through
};

std::vector<Packet> all_packets()
{
    std::vector<Packet> all;
    for (const bool is_lo : {false, true}) {
        for (const auto source : kSources) {
            for (const auto protocol : {kTcp, kUdp}) {
                for (const auto port : kPorts) {
                    all.push_back({is_lo, source, protocol, port, static_cast<std::uint16_t>(all.size() + 1)});
                }
            }
        }
    }
    return all;
}

void put16(std::vector<std::uint8_t>& out, std::size_t at, std::uint32_t value)
{
    out[at] = static_cast<std::uint8_t>(value >> 8U & 0xffU);
    out[at + 1] = static_cast<std::uint8_t>(value & 0xffU);
}

std::uint32_t sum16(const std::vector<std::uint8_t>& bytes, std::size_t from, std::size_t end, std::uint32_t sum)
{
    for (std::size_t i = from; i + 1 < end; i += 2) {
        sum += static_cast<std::uint32_t>(bytes[i]) << 8U | bytes[i + 1];
    }
    return sum;
}

std::uint32_t folded(std::uint32_t sum)
{
    while (sum > 0xffff) {
        sum = (sum & 0xffff) + (sum >> 16U);
    }
    return ~sum & 0xffff;
}

/// An IPv4 packet that opens a connection; conntrack looks at the sums.
std::vector<std::uint8_t> bytes_of(const Packet& packet, std::uint16_t source_port)
{
    constexpr std::size_t kIp = 20;
    const std::size_t size = kIp + (packet.protocol == kTcp ? 20 : 8);
    std::vector<std::uint8_t> out(size, 0);
    out[0] = 0x45;
    put16(out, 2, static_cast<std::uint32_t>(size));
    put16(out, 4, packet.id);
    out[8] = 64;
    out[9] = packet.protocol;
    put16(out, 12, packet.source >> 16U);
    put16(out, 14, packet.source);
    put16(out, 16, kHere >> 16U);
    put16(out, 18, kHere);
    put16(out, 10, folded(sum16(out, 0, kIp, 0)));
    put16(out, kIp, source_port);
    put16(out, kIp + 2, packet.port);
    const auto pseudo = sum16(out, 12, kIp, packet.protocol + static_cast<std::uint32_t>(size - kIp));
    if (packet.protocol == kTcp) {
        out[kIp + 12] = 0x50;
        out[kIp + 13] = 0x02; // SYN
        put16(out, kIp + 16, folded(sum16(out, kIp, size, pseudo)));
    } else {
        put16(out, kIp + 4, 8);
        put16(out, kIp + 6, folded(sum16(out, kIp, size, pseudo)));
    }
    return out;
}

/// Sends on the peer of the interface that the packets shall come in by.
class Sender {
public:
    Sender() : raw_(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}

    void send(const Packet& packet)
    {
        const auto bytes = bytes_of(packet, next_port_);
        next_port_ = next_port_ == 65000 ? 1024 : static_cast<std::uint16_t>(next_port_ + 1);
        sockaddr_ll to{};
        to.sll_family = AF_PACKET;
        to.sll_protocol = htons(kEtherIp);
        to.sll_ifindex = static_cast<int>(::if_nametoindex(packet.is_lo ? "lo" : "peer"));
        to.sll_halen = 6;
        const std::array<std::uint8_t, 6> mac{2, 0, 0, 0, 0, 1};
        if (!packet.is_lo) {
            std::memcpy(to.sll_addr, mac.data(), mac.size());
        }
        ASSERT_EQ(
            ::sendto(raw_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to)),
            static_cast<ssize_t>(bytes.size()))
            << std::strerror(errno);
    }

private:
    UniqueFd raw_;
    std::uint16_t next_port_ = 1024;
};

void must(const std::vector<std::string>& argv)
{
    const auto finished = oracle::run(argv);
    ASSERT_EQ(finished.exit_code, 0) << argv[1] << " " << finished.err;
}

/// A rule as nft writes it and as iptables does.
struct Rule {
    std::string nft;
    std::string iptables;
};

Rule random_interface(Random& random)
{
    const bool is_not = random.one_in(3);
    const std::string name = random.one_in(2) ? "lo" : "outer";
    const std::string star = random.one_in(6) ? name.substr(0, 1) : "";
    const std::string not_sign = is_not ? "! " : "";
    return {(random.one_in(2) && star.empty() && name == "lo" ? "iif " : "iifname ") +
                std::string(is_not ? "!= " : "") + "\"" + (star.empty() ? name : star + "*") + "\" ",
            not_sign + "-i " + (star.empty() ? name : star + "+") + " "};
}

Rule random_source(Random& random)
{
    static const std::vector<std::string> kNets{"127.0.0.0/8", "127.0.0.0/9", "127.0.0.1",     "127.0.0.2/31",
                                                "10.0.0.0/8",  "0.0.0.0/1",   "127.200.0.0/16"};
    const bool is_not = random.one_in(4);
    const std::string net = random.pick(kNets);
    return {"ip saddr " + std::string(is_not ? "!= " : "") + net + " ",
            std::string(is_not ? "! " : "") + "-s " + net + " "};
}

Rule random_ports(Random& random)
{
    const std::string protocol = random.one_in(2) ? "tcp" : "udp";
    const bool is_not = random.one_in(5);
    const std::string before = std::string(is_not ? "! " : "");
    const std::string relation = is_not ? "!= " : "";
    switch (random.below(4)) {
    case 0: return {"meta l4proto " + relation + protocol + " ", before + "-p " + protocol + " "};
    case 1:
        return {protocol + " dport " + relation + "{ 22, 443 } ",
                "-p " + protocol + " -m multiport " + before + "--dports 22,443 "};
    case 2: return {protocol + " dport " + relation + "20-100 ", "-p " + protocol + " " + before + "--dport 20:100 "};
    default: return {protocol + " dport " + relation + "80 ", "-p " + protocol + " " + before + "--dport 80 "};
    }
}

Rule random_state(Random& random)
{
    switch (random.below(3)) {
    case 0: return {"ct state established,related ", "-m conntrack --ctstate RELATED,ESTABLISHED "};
    case 1: return {"ct state invalid ", "-m state --state INVALID "};
    default: return {"ct state new ", "-m conntrack --ctstate NEW "};
    }
}

Rule random_rule(Random& random, const std::vector<std::string>& targets)
{
    Rule rule;
    const auto add = [&](const Rule& part) {
        rule.nft += part.nft;
        rule.iptables += part.iptables;
    };
    if (random.one_in(3)) {
        add(random_interface(random));
    }
    if (random.one_in(3)) {
        add(random_source(random));
    }
    if (random.one_in(3)) {
        add(random_ports(random));
    }
    if (random.one_in(5)) {
        add(random_state(random));
    }
    if (rule.nft.empty() && !random.one_in(6)) {
        add(random_source(random));
    }
    if (!targets.empty() && random.one_in(4)) {
        const std::string target = random.pick(targets);
        const bool is_goto = random.one_in(3);
        add({(is_goto ? "goto " : "jump ") + target, (is_goto ? "-g " : "-j ") + target});
    } else {
        switch (random.below(5)) {
        case 0:
        case 1: add({"counter accept", "-j ACCEPT"}); break;
        case 2: add({"drop", "-j DROP"}); break;
        case 3: add({"reject", "-j REJECT"}); break;
        default: add({"return", "-j RETURN"}); break;
        }
    }
    return rule;
}

struct Ruleset {
    std::string nft;
    std::string iptables;
};

Ruleset random_ruleset(Random& random)
{
    const bool drops = random.one_in(2);
    Ruleset set{"table ip t {\n",
                std::string("*filter\n:INPUT ") + (drops ? "DROP" : "ACCEPT") +
                    " [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:inner - [0:0]\n:outer - [0:0]\n"};
    const std::vector<std::pair<std::string, std::vector<std::string>>> chains{
        {"inner", {}}, {"outer", {"inner"}}, {"INPUT", {"inner", "outer"}}};
    for (const auto& [name, targets] : chains) {
        set.nft += "chain " + name + " {\n" +
                   (targets.size() == 2 ? std::string("type filter hook input priority filter; policy ") +
                                              (drops ? "drop" : "accept") + ";\n"
                                        : "");
        for (int i = random.below(targets.size() == 2 ? 6 : 4); i > 0; --i) {
            const auto rule = random_rule(random, targets);
            set.nft += rule.nft + "\n";
            set.iptables += "-A " + name + " " + rule.iptables + "\n";
        }
        set.nft += "}\n";
    }
    set.nft += "}\n";
    set.iptables += "COMMIT\n";
    return set;
}

/// `accepted`, `dropped` or both; `?` where the model is not certain, which these rules give no reason for.
std::string told(const FilterRules& rules, bool is_lo, bool is_spoofed)
{
    auto kind = packets_in(IpFamily::V4, is_lo);
    // The sorts of packets that are sent, no others.
    NumberSet sources;
    NumberSet ports;
    for (const auto source : kSources) {
        if (!is_spoofed || source >> 24U == 127) {
            sources.add(source, source);
        }
    }
    for (const auto port : kPorts) {
        ports.add(port, port);
    }
    NumberSet protocols(kTcp, kTcp);
    protocols.add(kUdp, kUdp);
    kind[PacketField::Source] = sources;
    kind[PacketField::DestinationPort] = ports;
    kind[PacketField::Protocol] = protocols;
    if (!is_lo) {
        kind[PacketField::InInterface] = NumberSet(kWideMax, kWideMax); // none that a rule names
    }
    const auto fate = fate_of(rules, kind);
    EXPECT_TRUE(fate) << fate.error().text;
    const auto word = [](const std::optional<PacketFate::Some>& some, const char* name) {
        return some ? std::string(name) + (some->is_certain ? "" : "?") : std::string();
    };
    return fate ? word(fate->accepted, "accepted ") + word(fate->dropped, "dropped") : "error";
}

void set(const std::string& interface, const std::string& key, const char* value)
{
    std::ofstream file("/proc/sys/net/ipv4/conf/" + interface + "/" + key);
    ASSERT_TRUE(file << value << std::flush) << key;
}

class FirewallAgainstKernel : public testing::Test {
protected:
    void SetUp() override
    {
        if (::unshare(CLONE_NEWNET) != 0) {
            GTEST_SKIP() << "needs root for a network namespace";
        }
        must({"/usr/sbin/ip", "link", "add", "wire", "address", "02:00:00:00:00:01", "type", "veth", "peer", "name",
              "peer"});
        for (const char* name : {"lo", "wire", "peer"}) {
            must({"/usr/sbin/ip", "link", "set", name, "up"});
        }
        must({"/usr/sbin/ip", "address", "add", "10.9.0.1/24", "dev", "wire"});
        for (const char* of : {"all", "lo", "wire"}) {
            // Else the kernel drops such packets itself, between the hooks prerouting and input.
            set(of, "route_localnet", "1");
            set(of, "accept_local", "1");
            set(of, "rp_filter", "0");
        }
        folder_.write("probe.nft", "table ip probe {\nset seen { typeof ip id; size 65535; flags dynamic; }\n"
                                   "chain c { type filter hook input priority 1000; ip daddr 10.9.0.1 ip protocol { "
                                   "tcp, udp } update @seen { ip id } accept; }\n}\n");
    }

    /// Numbers of the packets that come through the rules that are loaded.
    std::set<std::string> passed(Sender& sender)
    {
        must({"/usr/sbin/nft", "flush", "set", "ip", "probe", "seen"});
        for (const auto& packet : packets_) {
            sender.send(packet);
        }
        const auto listed = oracle::run({"/usr/sbin/nft", "list", "set", "ip", "probe", "seen"});
        const auto from = listed.out.find("elements = {");
        const auto end = from == std::string::npos ? from : listed.out.find('}', from);
        std::set<std::string> found;
        if (end != std::string::npos) {
            for (const auto word : words(std::string_view(listed.out).substr(from + 12, end - from - 12))) {
                found.insert(std::string(word.substr(0, word.find(','))));
            }
        }
        return found;
    }

    std::string done(const std::set<std::string>& through, bool is_lo, bool is_spoofed) const
    {
        bool accepted = false;
        bool dropped = false;
        for (const auto& packet : packets_) {
            if (packet.is_lo == is_lo && (!is_spoofed || packet.source >> 24U == 127)) {
                const bool came = through.contains(std::to_string(packet.id));
                accepted = accepted || came;
                dropped = dropped || !came;
            }
        }
        return std::string(accepted ? "accepted " : "") + (dropped ? "dropped" : "");
    }

    void compare(const FilterRules& rules, const std::set<std::string>& through, const std::string& shown)
    {
        EXPECT_EQ(rules.doubt, "");
        for (const bool is_lo : {false, true}) {
            for (const bool is_spoofed : {false, true}) {
                ASSERT_EQ(told(rules, is_lo, is_spoofed), done(through, is_lo, is_spoofed))
                    << (is_lo ? "over lo " : "by wire ") << (is_spoofed ? "from 127.0.0.0/8" : "") << "\n"
                    << shown;
            }
        }
    }

    e2e::Folder folder_;
    std::vector<Packet> packets_ = all_packets();
};

FilterRules only(const FilterRules& all, const std::string& table)
{
    FilterRules some;
    for (const auto& chain : all.chains) {
        if (chain.table == table) {
            (void)some.add(chain);
        }
    }
    return some;
}

TEST_F(FirewallAgainstKernel, RandomRulesOfNft)
{
    Random random;
    Sender sender;
    int mixed = 0;
    for (int round = 0; round < oracle::rounds(1000); ++round) {
        const auto set = random_ruleset(random);
        folder_.write("rules.nft", "flush ruleset\n" + set.nft + "include \"" + folder_.path() + "/probe.nft\"\n");
        must({"/usr/sbin/nft", "-f", folder_.path() + "/rules.nft"});
        const auto through = passed(sender);
        const std::string shown = set.nft + random.text();
        const auto json = parse_nft_json(oracle::run({"/usr/sbin/nft", "-j", "list", "ruleset"}).out);
        ASSERT_TRUE(json) << json.error().text;
        compare(only(*json, "t"), through, shown);
        FilterRules text;
        NftNames names;
        parse_nft_text(set.nft, "rules.nft", text, names, [](const std::string&) {});
        compare(text, through, "as text:\n" + shown);
        mixed += !through.empty() && through.size() < packets_.size() ? 1 : 0;
        if (HasFatalFailure() || HasNonfatalFailure()) {
            return;
        }
    }
    EXPECT_GT(mixed, oracle::rounds(1000) / 4); // else the rounds showed little
}

TEST_F(FirewallAgainstKernel, RandomRulesOfIptables)
{
    Random random;
    Sender sender;
    must({"/usr/sbin/nft", "-f", folder_.path() + "/probe.nft"});
    for (int round = 0; round < oracle::rounds(1000); ++round) {
        const auto set = random_ruleset(random);
        folder_.write("rules.v4", set.iptables);
        must({"/usr/sbin/iptables-nft-restore", folder_.path() + "/rules.v4"});
        const auto through = passed(sender);
        const std::string shown = set.iptables + random.text();
        FilterRules running;
        parse_iptables(oracle::run({"/usr/sbin/iptables-nft-save"}).out, "iptables-save", "ip", running);
        compare(only(running, "filter"), through, shown);
        FilterRules file;
        parse_iptables(set.iptables, "rules.v4", "ip", file);
        compare(file, through, "as file:\n" + shown);
        if (HasFatalFailure() || HasNonfatalFailure()) {
            return;
        }
    }
}

} // namespace
} // namespace hostward::hardening
