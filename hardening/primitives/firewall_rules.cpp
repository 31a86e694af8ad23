// SPDX-License-Identifier: Apache-2.0
// What the rules of a packet filter do with packets.
#include "hardening/models/nft.h"
#include "hardening/models/packet_walk.h"
#include "hardening/primitives/firewall_sources.h"
#include "hardening/primitives/primitives.h"

#include <algorithm>

namespace hostward::hardening {

namespace {

constexpr std::array kArguments{
    ArgumentSpec{"of", ValueType::List, true,
                 "programs whose rules are meant; where another one is in use, nothing is asked", kFrontEndNames},
    ArgumentSpec{"ip", ValueType::List, false, "kinds of IP; both where not given", kIpNames}};
constexpr std::array kTableArguments{
    ArgumentSpec{"of", ValueType::List, true,
                 "programs whose rules are meant; where another one is in use, nothing is asked", kFrontEndNames}};
constexpr std::array kLoopbackArguments{
    ArgumentSpec{"of", ValueType::List, true,
                 "programs whose rules are meant; where another one is in use, nothing is asked", kFrontEndNames},
    ArgumentSpec{"ip", ValueType::List, false, "kinds of IP; both where not given", kIpNames},
    ArgumentSpec{"output", ValueType::Flag, false, "what the host sends over lo is asked about too", {}},
};
constexpr std::array kHooks{FilterHook::Input, FilterHook::Forward, FilterHook::Output};

std::vector<const FilterChain*> filters_at(const FilterView& view, FilterHook hook)
{
    std::vector<const FilterChain*> found;
    for (const auto& chain : view.rules.chains) {
        if (chain.hook == hook && chain.type == "filter" && chain.covers(view.family)) {
            found.push_back(&chain);
        }
    }
    return found;
}

std::string where_of(const FilterView& view, const FilterChain& chain)
{
    return chain.where.line == 0 ? view.source.where + ", " + chain.where.text() : chain.where.text();
}

Outcome judge_hook(const FilterView& view, FilterHook hook)
{
    const auto chains = filters_at(view, hook);
    const std::string expected = std::string("a chain at hook ") + hook_name(hook) + " (" + view.text() + ")";
    return chains.empty()
               ? Outcome::of(Verdict::Fail, {expected, "none", view.source.where})
               : Outcome::of(Verdict::Pass, {expected, chains.front()->text(), where_of(view, *chains.front())});
}

/// A packet that one chain drops is dropped, whatever others say.
Outcome judge_policy(const FilterView& view, FilterHook hook)
{
    const std::string expected = std::string("policy drop at hook ") + hook_name(hook) + " (" + view.text() + ")";
    const auto chains = filters_at(view, hook);
    Outcome out;
    out.verdict = Verdict::Fail;
    for (const auto* chain : chains) {
        if (chain->drops) {
            return Outcome::of(Verdict::Pass, {expected, "drop in " + chain->text(), where_of(view, *chain)});
        }
        out.add({expected, "accept in " + chain->text(), where_of(view, *chain)});
    }
    if (chains.empty()) {
        out.add({expected, "no chain", view.source.where});
    }
    return out;
}

template <typename Judge> Outcome for_each_hook(const FilterView& view, Judge judge)
{
    std::vector<Outcome> parts;
    for (const auto hook : kHooks) {
        parts.push_back(judge(view, hook));
    }
    return all_of(parts);
}

bool drops_at(const FilterRules& rules, IpFamily family, FilterHook hook)
{
    return std::ranges::any_of(rules.chains, [&](const FilterChain& chain) {
        return chain.hook == hook && chain.type == "filter" && chain.covers(family) && chain.drops;
    });
}

Result<Outcome> evaluate_hooks(const Arguments& arguments, Facts& facts)
{
    return for_each_view(arguments, facts, [](const FilterView& view) { return for_each_hook(view, judge_hook); });
}

Result<Outcome> evaluate_policy(const Arguments& arguments, Facts& facts)
{
    return for_each_view(arguments, facts, [](const FilterView& view) { return for_each_hook(view, judge_policy); });
}

Result<Outcome> evaluate_table(const Arguments& arguments, Facts& facts)
{
    return for_each_view(arguments, facts, [](const FilterView& view) {
        const std::string expected = std::string("a table for IP (") + view.source.when + ")";
        const auto at = std::ranges::find_if(view.rules.tables, [](const FilterTable& table) {
            return table.family == "inet" || table.family == "ip" || table.family == "ip6";
        });
        return at == view.rules.tables.end()
                   ? Outcome::of(Verdict::Fail, {expected, "none", view.source.where})
                   : Outcome::of(Verdict::Pass, {expected, at->family + " " + at->name,
                                                 at->where.line == 0 ? view.source.where : at->where.text()});
    });
}

/// None of `packets` may have the fate `unwanted`.
Outcome judge_fate(const FilterView& view, const FilterRules& rules, const PacketKind& packets, bool must_pass,
                   const std::string& what)
{
    const std::string expected = what + (must_pass ? " accepted (" : " dropped (") + view.text() + ")";
    const auto fate = fate_of(rules, packets);
    if (!fate) {
        return Outcome::cannot_tell(fate.error().text);
    }
    const auto& unwanted = must_pass ? fate->dropped : fate->accepted;
    const std::string done = must_pass ? "dropped by " : "accepted by ";
    if (!unwanted) {
        return Outcome::of(Verdict::Pass, {expected, must_pass ? "all accepted" : "all dropped", view.source.where});
    }
    Evidence seen{expected, done + unwanted->by, view.source.where + ", " + unwanted->where};
    if (unwanted->is_certain) {
        return Outcome::of(Verdict::Fail, std::move(seen));
    }
    Outcome out = Outcome::cannot_tell(what + " may be " + done + unwanted->by +
                                       ", but a rule asks what we cannot judge (" + view.text() + ")");
    out.add(std::move(seen));
    return out;
}

/// ufw takes DHCP, ICMP and multicast names before it looks at anybody's own rules: those do not count.
FilterRules without_ufw_basics(FilterRules rules)
{
    for (auto& chain : rules.chains) {
        if (chain.name == "ufw-before-input" || chain.name == "ufw6-before-input") {
            std::erase_if(chain.rules, [](const FilterRule& rule) { return rule.action == FilterAction::Accept; });
        }
    }
    return rules;
}

Outcome judge_loopback(const FilterView& view, bool with_output)
{
    std::vector<Outcome> parts;
    parts.push_back(judge_fate(view, view.rules, packets_in(view.family, true), true, "what comes in over lo"));
    if (with_output) {
        parts.push_back(judge_fate(view, view.rules, packets_out_lo(view.family), true, "what goes out over lo"));
    }
    const char* addresses = view.family == IpFamily::V4 ? "127.0.0.0/8" : "::1";
    auto spoofed = packets_in(view.family, false);
    spoofed[PacketField::Source] = *parse_addresses(addresses, view.family);
    parts.push_back(judge_fate(view, without_ufw_basics(view.rules), spoofed, false,
                               std::string("what comes from ") + addresses + " by another interface"));
    return all_of(parts);
}

Result<Outcome> evaluate_loopback(const Arguments& arguments, Facts& facts)
{
    const bool with_output = arguments.flag_or("output", false);
    return for_each_view(arguments, facts,
                         [with_output](const FilterView& view) { return judge_loopback(view, with_output); });
}

/// Chains at the hooks that the kernel has now, or else the three usual ones, are in the file too and as strict.
Result<Outcome> evaluate_kept(const Arguments& /*arguments*/, Facts& facts)
{
    const Arguments of_nft({{"of", std::vector<std::string>{"nftables"}}});
    const auto& boot = facts.get<BootNft>();
    TRY_ASSIGN(const auto front_ends, meant_front_ends(of_nft, facts));
    if (front_ends.empty()) {
        return Outcome::not_applicable(facts.get<FirewallChoice>()->text());
    }
    if (boot && boot->file.empty()) {
        return Outcome::of(Verdict::Fail, {"a file that nftables.service loads", "none", "/etc/nftables.conf"});
    }
    const auto& now = facts.get<RunningNft>();
    return for_each_view(
        of_nft, facts,
        [&](const FilterView& view) {
            return for_each_hook(view, [&](const FilterView& kept, FilterHook hook) {
                Outcome there = judge_hook(kept, hook);
                const bool drops_now = now && drops_at(now->rules, kept.family, hook);
                return there.verdict == Verdict::Pass && drops_now ? judge_policy(kept, hook) : there;
            });
        },
        Times::Boot);
}

} // namespace

const Primitive kFirewallTablePrimitive{"firewall-table",
                                        "The packet filter has a table for IP, now and at the next boot.",
                                        kTableArguments, evaluate_table};
const Primitive kFirewallHooksPrimitive{
    "firewall-hooks", "The packet filter sees what comes in, goes through and goes out, now and at the next boot.",
    kArguments, evaluate_hooks};
const Primitive kFirewallKeptPrimitive{
    "firewall-kept",
    "The file that nftables.service loads has the chains of the firewall, as strict as the kernel's now.",
    {},
    evaluate_kept};
const Primitive kFirewallPolicyPrimitive{
    "firewall-policy", "What no rule of the packet filter decides is dropped, now and at the next boot.", kArguments,
    evaluate_policy};
const Primitive kFirewallLoopbackPrimitive{"firewall-loopback",
                                           "The packet filter accepts what comes over lo and drops what pretends to.",
                                           kLoopbackArguments, evaluate_loopback};

} // namespace hostward::hardening
