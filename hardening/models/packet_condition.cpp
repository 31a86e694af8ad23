// SPDX-License-Identifier: Apache-2.0
// What the words of a rule ask of a packet.
#include "agent/base/text.h"
#include "hardening/models/packet_filter.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr unsigned kBits4 = 32;
constexpr unsigned kBits6 = 128;

struct Word {
    std::string_view name;
    unsigned number;
};

constexpr std::array kProtocols{
    Word{"icmp", 1},       Word{"igmp", 2},    Word{"tcp", 6},  Word{"udp", 17},   Word{"dccp", 33},
    Word{"gre", 47},       Word{"esp", 50},    Word{"ah", 51},  Word{"sctp", 132}, Word{"udplite", 136},
    Word{"ipv6-icmp", 58}, Word{"icmpv6", 58}, Word{"ipip", 4}, Word{"ipv6", 41},
};
constexpr std::array kStates{
    Word{"new", 0}, Word{"established", 1}, Word{"related", 2}, Word{"invalid", 3}, Word{"untracked", 4},
};
/// Ports by name, the few that people write; nft prints numbers.
constexpr std::array kServices{
    Word{"ssh", 22}, Word{"smtp", 25}, Word{"domain", 53}, Word{"http", 80}, Word{"ntp", 123}, Word{"https", 443},
};
/// Protocols with ports at the place where `th` looks.
constexpr std::array kWithPorts{6U, 17U, 33U, 132U, 136U};

/// Questions that some packets of every kind fit and others do not.
constexpr std::array<std::string_view, 13> kParts{
    "icmp type",   "icmp code", "icmpv6 type", "icmpv6 code", "rt type",      "ip ttl",     "ip6 hoplimit",
    "meta length", "ip length", "fib type",    "limit rate",  "meta pkttype", "meta random"};

template <typename Words> std::optional<NumberSet> number_of(const Words& known, std::string_view text)
{
    for (const auto& word : known) {
        if (word.name == text) {
            return NumberSet(word.number, word.number);
        }
    }
    return std::nullopt;
}

/// `22` or `80-90`.
std::optional<NumberSet> parse_range(std::string_view text, unsigned max)
{
    const auto dash = text.find('-');
    const auto first = parse_number<unsigned>(text.substr(0, dash));
    const auto last = dash == text.npos ? first : parse_number<unsigned>(text.substr(dash + 1));
    if (!first || !last || *first > *last || *last > max) {
        return std::nullopt;
    }
    return NumberSet(*first, *last);
}

std::optional<Wide> parse_address(std::string_view text, IpFamily family)
{
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    const std::string copy(text);
    const bool is_four = family == IpFamily::V4;
    if (::inet_pton(is_four ? AF_INET : AF_INET6, copy.c_str(), bytes.data()) != 1 ||
        copy.find('\0') != std::string::npos) {
        return std::nullopt;
    }
    Wide number = 0;
    for (std::size_t i = 0; i < (is_four ? sizeof(in_addr) : sizeof(in6_addr)); ++i) {
        number = number << 8U | bytes[i];
    }
    return number;
}

/// The bits of a network's host part: `8` or `255.0.0.0` after the slash.
std::optional<Wide> host_bits(std::string_view text, IpFamily family)
{
    const unsigned bits = family == IpFamily::V4 ? kBits4 : kBits6;
    const Wide everything = family == IpFamily::V4 ? (Wide{1} << kBits4) - 1 : kWideMax;
    if (const auto length = parse_number<unsigned>(text)) {
        if (*length > bits) {
            return std::nullopt;
        }
        return *length == bits ? Wide{0} : everything >> *length;
    }
    const auto mask = parse_address(text, family);
    if (!mask) {
        return std::nullopt;
    }
    const Wide rest = everything & ~*mask;
    return (rest & (rest + 1)) == 0 ? std::optional<Wide>(rest) : std::nullopt; // a mask with holes is none of ours
}

std::optional<NumberSet> parse_value(std::string_view text, PacketField field, IpFamily family)
{
    constexpr unsigned kPortMax = 65535;
    constexpr unsigned kProtocolMax = 255;
    switch (field) {
    case PacketField::InInterface:
    case PacketField::OutInterface: return std::nullopt;
    case PacketField::Source:
    case PacketField::Destination: return parse_addresses(text, family);
    case PacketField::Protocol: {
        const auto named = number_of(kProtocols, text);
        return named ? named : parse_range(text, kProtocolMax);
    }
    case PacketField::SourcePort:
    case PacketField::DestinationPort: {
        const auto named = number_of(kServices, text);
        return named ? named : parse_range(text, kPortMax);
    }
    case PacketField::State: return number_of(kStates, text);
    }
    return std::nullopt;
}

void not_understood(FilterRule& rule) { rule.rest = FilterRule::Rest::Unknown; }

/// The numbers that stand in the comparison to those of `set`.
std::optional<NumberSet> compared(const NumberSet& set, std::string_view comparison)
{
    const Wide first = set.ranges().front().first;
    const Wide last = set.ranges().back().last;
    if (comparison == "==" || comparison == "in") {
        return set;
    }
    if (comparison == "!=") {
        return set.complement();
    }
    if (comparison == "<") {
        return first == 0 ? NumberSet() : NumberSet(0, first - 1);
    }
    if (comparison == "<=") {
        return NumberSet(0, first);
    }
    if (comparison == ">") {
        return last == kWideMax ? NumberSet() : NumberSet(last + 1, kWideMax);
    }
    return comparison == ">=" ? std::optional<NumberSet>(NumberSet(last, kWideMax)) : std::nullopt;
}

void add_numbers(FilterRule& rule, PacketField field, IpFamily family, std::string_view comparison,
                 const std::vector<std::string>& values)
{
    NumberSet set;
    for (const auto& value : values) {
        const auto parsed = parse_value(value, field, family);
        if (!parsed) {
            return not_understood(rule);
        }
        for (const auto& range : parsed->ranges()) {
            set.add(range.first, range.last);
        }
    }
    const auto numbers = set.empty() ? std::nullopt : compared(set, comparison);
    if (!numbers) {
        return not_understood(rule);
    }
    rule.conditions.push_back({field, *numbers, {}, comparison == "!="});
}

void add_interface(FilterRule& rule, PacketField field, std::string_view comparison,
                   const std::vector<std::string>& values)
{
    const bool is_negated = comparison == "!=";
    if (values.empty() || (!is_negated && comparison != "==" && comparison != "in")) {
        return not_understood(rule);
    }
    rule.conditions.push_back({field, {}, values, is_negated});
}

void limit_family(FilterRule& rule, IpFamily family)
{
    if (rule.family && *rule.family != family) {
        rule.is_never = true;
    }
    rule.family = family;
}

/// `meta nfproto ipv4`, `meta protocol ip6`.
void add_family(FilterRule& rule, std::string_view comparison, const std::vector<std::string>& values)
{
    const bool is_four = values.size() == 1 && (values[0] == "ipv4" || values[0] == "ip");
    const bool is_six = values.size() == 1 && (values[0] == "ipv6" || values[0] == "ip6");
    if ((!is_four && !is_six) || (comparison != "==" && comparison != "!=")) {
        return not_understood(rule);
    }
    limit_family(rule, is_four == (comparison == "==") ? IpFamily::V4 : IpFamily::V6);
}

void limit_protocol(FilterRule& rule, const NumberSet& numbers)
{
    rule.conditions.push_back({PacketField::Protocol, numbers, {}, false});
}

/// A question about a header is one about the packets that have it.
void add_header(FilterRule& rule, std::string_view header)
{
    if (header == "ip" || header == "ip6") {
        return limit_family(rule, header == "ip" ? IpFamily::V4 : IpFamily::V6);
    }
    if (header == "icmp" || header == "icmpv6") {
        limit_family(rule, header == "icmp" ? IpFamily::V4 : IpFamily::V6);
    }
    if (const auto protocol = number_of(kProtocols, header)) {
        limit_protocol(rule, *protocol);
    } else if (header == "th") {
        NumberSet numbers;
        for (const auto one : kWithPorts) {
            numbers.add(one, one);
        }
        limit_protocol(rule, numbers);
    }
}

std::optional<PacketField> field_of(std::string_view header, std::string_view name)
{
    const bool is_ip = header == "ip" || header == "ip6";
    if (is_ip && (name == "saddr" || name == "daddr")) {
        return name == "saddr" ? PacketField::Source : PacketField::Destination;
    }
    if ((header == "ip" && name == "protocol") || (header == "meta" && name == "l4proto") ||
        (header == "ip6" && name == "nexthdr")) {
        return PacketField::Protocol;
    }
    if (!is_ip && (name == "dport" || name == "sport")) {
        return name == "sport" ? PacketField::SourcePort : PacketField::DestinationPort;
    }
    return header == "ct" && name == "state" ? std::optional(PacketField::State) : std::nullopt;
}

std::optional<PacketField> interface_of(std::string_view name)
{
    if (name == "iif" || name == "iifname") {
        return PacketField::InInterface;
    }
    return name == "oif" || name == "oifname" ? std::optional(PacketField::OutInterface) : std::nullopt;
}

void add_rest(FilterRule& rule, std::string_view key, std::string_view comparison,
              const std::vector<std::string>& values)
{
    const bool is_translated = values.size() == 1 && (values[0] == "dnat" || values[0] == "snat");
    if (key == "fib oif") { // the reverse path: that of `lo` always is
        rule.conditions.push_back({PacketField::InInterface, {}, {"lo"}, true});
        not_understood(rule);
    } else if (key == "ct status" && is_translated && (comparison == "==" || comparison == "in")) {
        rule.is_never = true; // packets for ports that are forwarded are not what is asked about
    } else if (std::ranges::find(kParts, key) == kParts.end()) {
        not_understood(rule);
    } else if (rule.rest == FilterRule::Rest::None) {
        rule.rest = FilterRule::Rest::Part;
    } else {
        not_understood(rule); // two such questions may exclude each other
    }
}

} // namespace

std::optional<NumberSet> parse_addresses(std::string_view text, IpFamily family)
{
    if (const auto dash = text.find('-'); dash != text.npos) {
        const auto first = parse_address(text.substr(0, dash), family);
        const auto last = parse_address(text.substr(dash + 1), family);
        return first && last && *first <= *last ? std::optional(NumberSet(*first, *last)) : std::nullopt;
    }
    const auto slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash), family);
    const auto rest = slash == text.npos ? std::optional<Wide>(0) : host_bits(text.substr(slash + 1), family);
    if (!address || !rest) {
        return std::nullopt;
    }
    return NumberSet(*address & ~*rest, *address | *rest);
}

void add_condition(FilterRule& rule, std::string_view key, std::string_view comparison,
                   const std::vector<std::string>& values)
{
    const auto space = key.find(' ');
    const auto header = space == key.npos ? std::string_view("meta") : key.substr(0, space);
    const auto name = space == key.npos ? key : key.substr(space + 1);
    if (const auto interface = header == "meta" ? interface_of(name) : std::nullopt) {
        return add_interface(rule, *interface, comparison, values);
    }
    if (header == "meta" && (name == "nfproto" || name == "protocol")) {
        return add_family(rule, comparison, values);
    }
    add_header(rule, header);
    if (const auto field = field_of(header, name)) {
        return add_numbers(rule, *field, header == "ip6" ? IpFamily::V6 : IpFamily::V4, comparison, values);
    }
    add_rest(rule, space == key.npos ? "meta " + std::string(key) : std::string(key), comparison, values);
}

} // namespace hostward::hardening
