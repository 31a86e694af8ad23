// SPDX-License-Identifier: Apache-2.0
// Listening ports and the rules that name them.
#include "hardening/models/sockets.h"
#include "hardening/primitives/firewall_sources.h"
#include "hardening/primitives/primitives.h"

#include <algorithm>
#include <set>

namespace hostward::hardening {

namespace {

constexpr std::array kArguments{
    ArgumentSpec{"of", ValueType::List, true,
                 "programs whose rules are meant; where another one is in use, nothing is asked", kFrontEndNames},
    ArgumentSpec{"ip", ValueType::List, false, "kinds of IP; both where not given", kIpNames}};
constexpr std::size_t kMappedPrefix = 10; ///< zero bytes of ::ffff:0:0/96

bool is_any(const ListeningSocket& socket)
{
    return std::ranges::all_of(socket.address, [](std::uint8_t byte) { return byte == 0; });
}

bool is_mapped(const ListeningSocket& socket)
{
    const auto* begin = socket.address.data();
    return socket.is_ipv6() && std::all_of(begin, begin + kMappedPrefix, [](std::uint8_t byte) { return byte == 0; }) &&
           socket.address[kMappedPrefix] == 0xff && socket.address[kMappedPrefix + 1] == 0xff;
}

/// A socket of [::] takes IPv4 too, unless its program said otherwise, which the kernel's list does not show.
bool takes(const ListeningSocket& socket, IpFamily family)
{
    if (family == IpFamily::V4) {
        return !socket.is_ipv6() || is_mapped(socket) || is_any(socket);
    }
    return socket.is_ipv6() && !is_mapped(socket);
}

/// Rules that new packets to this host meet, those of chains that are jumped to included.
std::vector<const FilterRule*> rules_for_input(const FilterRules& rules, IpFamily family)
{
    std::vector<const FilterRule*> found;
    std::set<const FilterChain*> seen;
    std::vector<const FilterChain*> open;
    for (const auto& chain : rules.chains) {
        if ((chain.hook == FilterHook::Input || chain.hook == FilterHook::Prerouting) && chain.covers(family)) {
            open.push_back(&chain);
        }
    }
    while (!open.empty()) {
        const auto* chain = open.back();
        open.pop_back();
        if (!seen.insert(chain).second) {
            continue;
        }
        for (const auto& rule : chain->rules) {
            found.push_back(&rule);
            const auto* target = rule.target.empty() ? nullptr : rules.find(chain->family, chain->table, rule.target);
            if (target != nullptr) {
                open.push_back(target);
            }
        }
    }
    return found;
}

bool is_about(const FilterRule& rule, IpFamily family, Wide protocol, std::uint16_t port)
{
    if (rule.action == FilterAction::Continue || rule.is_never || (rule.family && *rule.family != family)) {
        return false;
    }
    bool names_port = false;
    for (const auto& condition : rule.conditions) {
        const bool is_lo = condition.field == PacketField::InInterface && !condition.is_negated &&
                           condition.names == std::vector<std::string>{"lo"};
        const bool is_port = condition.field == PacketField::DestinationPort;
        const bool is_other = (condition.field == PacketField::Protocol && !condition.numbers.has(protocol)) ||
                              (is_port && (condition.is_negated || !condition.numbers.has(port)));
        if (is_lo || is_other) {
            return false;
        }
        names_port = names_port || is_port;
    }
    return names_port;
}

Outcome judge_ports(const FilterView& view, const ListeningSockets& sockets)
{
    constexpr Wide kTcp = 6;
    constexpr Wide kUdp = 17;
    const auto rules = rules_for_input(view.rules, view.family);
    Outcome out;
    out.verdict = Verdict::Pass;
    for (const auto& socket : sockets.all) {
        if (socket.is_loopback() || !takes(socket, view.family)) {
            continue;
        }
        const Wide protocol = socket.protocol.starts_with("tcp") ? kTcp : kUdp;
        const auto at = std::ranges::find_if(
            rules, [&](const FilterRule* rule) { return is_about(*rule, view.family, protocol, socket.port); });
        const std::string listener = socket.text() + (socket.process.empty() ? "" : " of " + socket.process);
        if (at == rules.end()) {
            out.verdict = Verdict::Fail;
        }
        out.add({"a rule for the port of " + listener + " (" + view.text() + ")",
                 at == rules.end() ? "no rule names it" : (*at)->text,
                 at == rules.end() ? view.source.where : (*at)->where.text()});
    }
    if (out.evidence.empty()) {
        out.add(
            {"a rule for each listening port (" + view.text() + ")", "nothing listens beyond loopback", "/proc/net"});
    }
    return out;
}

Result<Outcome> evaluate_ports(const Arguments& arguments, Facts& facts)
{
    TRY_ASSIGN(const auto front_ends, meant_front_ends(arguments, facts));
    if (front_ends.empty()) {
        return Outcome::not_applicable(facts.get<FirewallChoice>()->text());
    }
    const auto& sockets = facts.get<ListeningSockets>();
    if (!sockets) {
        return sockets.error();
    }
    return for_each_view(arguments, facts, [&](const FilterView& view) { return judge_ports(view, *sockets); });
}

} // namespace

const Primitive kFirewallPortsPrimitive{"firewall-ports",
                                        "Every port that somebody listens on beyond loopback has a rule that names it.",
                                        kArguments, evaluate_ports};

} // namespace hostward::hardening
