// SPDX-License-Identifier: Apache-2.0
// Which firewall a host has, and what a person must look at in its rules.
#include "hardening/models/firewalld.h"
#include "hardening/models/iptables.h"
#include "hardening/models/ufw.h"
#include "hardening/primitives/firewall_sources.h"
#include "hardening/primitives/primitives.h"

#include <algorithm>

namespace hostward::hardening {

namespace {

constexpr std::array<std::string_view, 4> kTopics{"states", "outgoing", "services", "iptables"};
constexpr std::array kChoiceArguments{
    ArgumentSpec{"of", ValueType::List, true,
                 "programs whose rules are meant; where another one is in use, nothing is asked", kFrontEndNames}};
constexpr std::array kReviewArguments{
    ArgumentSpec{"of", ValueType::List, true,
                 "programs whose rules are meant; where another one is in use, nothing is asked", kFrontEndNames},
    ArgumentSpec{"ip", ValueType::List, false, "kinds of IP; both where not given", kIpNames},
    ArgumentSpec{"show", ValueType::Text, true, "which rules a person should see", kTopics},
};
constexpr std::array kZoneArguments{
    ArgumentSpec{"refused", ValueType::List, true, "zones that the default one may not be", {}},
};

Result<Outcome> evaluate_choice(const Arguments& arguments, Facts& facts)
{
    TRY_ASSIGN(const auto front_ends, meant_front_ends(arguments, facts));
    const std::string found = facts.get<FirewallChoice>()->text();
    return front_ends.empty() ? Outcome::not_applicable(found)
                              : Outcome::of(Verdict::Pass, {"chosen as the firewall", found, "unit files"});
}

Result<Outcome> evaluate_one(const Arguments& /*arguments*/, Facts& facts)
{
    const auto& choice = facts.get<FirewallChoice>();
    if (!choice) {
        return choice.error();
    }
    return Outcome::pass_if(choice->in_use.size() == 1, {"exactly one firewall in use", choice->text(), "unit files"});
}

Result<Outcome> evaluate_ufw_off(const Arguments& /*arguments*/, Facts& facts)
{
    const auto& ufw = facts.get<Ufw>();
    if (!ufw) {
        return ufw.error();
    }
    std::vector<Outcome> parts{Outcome::pass_if(
        !ufw->is_enabled,
        {"ufw loads nothing at boot", ufw->is_enabled ? "ENABLED=yes" : "not enabled", ufw->enabled_where.text()})};
    if (facts.host().is_running() && ufw->is_there) {
        const auto& running = facts.get<RunningIptables>();
        const bool is_loaded = running && is_ufw_loaded(running->rules);
        parts.push_back(
            running ? Outcome::pass_if(!is_loaded, {"no rules of ufw now", is_loaded ? "its chains are there" : "none",
                                                    "iptables-save"})
                    : Outcome::cannot_tell(running.error().text));
    }
    return all_of(parts);
}

Result<Outcome> evaluate_zone(const Arguments& arguments, Facts& facts)
{
    const auto& firewalld = facts.get<Firewalld>();
    if (!firewalld) {
        return firewalld.error();
    }
    const auto& zone = firewalld->zone;
    const auto& refused = arguments.list("refused");
    const bool is_refused = std::ranges::find(refused, zone.name) != refused.end() || zone.target == "ACCEPT";
    const std::string found = zone.name +
                              (firewalld->zone_where.line == 0 ? ", which is firewalld's own default" : "") +
                              (zone.file.empty() ? ", which does not exist" : "") +
                              (zone.target == "ACCEPT" ? ", which accepts everything" : "");
    return Outcome::pass_if(!zone.file.empty() && !is_refused,
                            {"a default zone that lets in only what is named", found, firewalld->zone_where.text()});
}

bool is_shown(const FilterRule& rule, const std::string& topic)
{
    return topic != "states" || std::ranges::any_of(rule.conditions, [](const PacketCondition& condition) {
               return condition.field == PacketField::State;
           });
}

/// Rules that a person should look at, as evidence.
void show_rules(const FilterView& view, const std::string& topic, Outcome& out)
{
    std::size_t shown = 0;
    for (const auto& chain : view.rules.chains) {
        const bool is_output = chain.hook == FilterHook::Output || chain.name.find("output") != std::string::npos;
        if (!chain.covers(view.family) || (topic == "outgoing" && !is_output)) {
            continue;
        }
        for (const auto& rule : chain.rules) {
            if (is_shown(rule, topic) && rule.action != FilterAction::Jump) {
                ++shown;
                out.add({"as intended (" + view.text() + ")", rule.text, rule.where.text()});
            }
        }
    }
    if (shown == 0) {
        out.add({"as intended (" + view.text() + ")", "no such rule", view.source.where});
    }
}

Outcome review(std::string reason) { return Outcome{Verdict::Manual, std::move(reason), {}, 0}; }

Result<Outcome> review_services(Facts& facts)
{
    const auto& firewalld = facts.get<Firewalld>();
    if (!firewalld) {
        return firewalld.error();
    }
    Outcome out = review("a person must judge what the default zone lets in");
    for (const auto& one : firewalld->zone.opens) {
        out.add({"wanted on this host", one + " in zone " + firewalld->zone.name, firewalld->zone.file});
    }
    if (out.evidence.empty()) {
        out.add({"wanted on this host", "nothing is let in", firewalld->zone.file});
    }
    return out;
}

Result<Outcome> review_iptables(Facts& facts)
{
    const auto& running = facts.get<RunningIptables>();
    if (!running) {
        return review("a person must judge this; which rules iptables has cannot be told: " + running.error().text);
    }
    Outcome out = review("a person must judge whether these rules are wanted beside those of nftables");
    for (const auto& chain : running->rules.chains) {
        for (const auto& rule : chain.rules) {
            out.add({"no rules of iptables", rule.text, rule.where.text()});
        }
    }
    if (out.evidence.empty()) {
        out.add({"no rules of iptables", "none", "iptables-save, ip6tables-save"});
    }
    return out;
}

/// A person can look where we cannot.
Outcome for_a_person(Outcome out)
{
    if (out.verdict == Verdict::CannotTell) {
        out.verdict = Verdict::Manual;
        out.reason = "a person must judge this; " + out.reason;
    }
    return out;
}

Result<Outcome> evaluate_review(const Arguments& arguments, Facts& facts)
{
    TRY_ASSIGN(const auto front_ends, meant_front_ends(arguments, facts));
    const std::string& topic = arguments.text("show");
    if (front_ends.empty()) {
        return Outcome::not_applicable(facts.get<FirewallChoice>()->text());
    }
    if (topic == "services" && std::ranges::find(front_ends, FrontEnd::Firewalld) != front_ends.end()) {
        return review_services(facts);
    }
    if (topic == "iptables") {
        return review_iptables(facts);
    }
    TRY_ASSIGN(auto seen, for_each_view(arguments, facts, [&](const FilterView& view) {
                   Outcome out = review("a person must judge these rules");
                   show_rules(view, topic, out);
                   return out;
               }));
    return for_a_person(std::move(seen));
}

} // namespace

const Primitive kFirewallInUsePrimitive{
    "firewall-in-use", "One of these programs is the host's firewall; not applicable where another is.",
    kChoiceArguments, evaluate_choice};
const Primitive kFirewallOnePrimitive{
    "firewall-one", "Exactly one program looks after the packet filter.", {}, evaluate_one};
const Primitive kUfwOffPrimitive{
    "ufw-off", "ufw has no rules in the kernel and loads none at boot.", {}, evaluate_ufw_off};
const Primitive kFirewalldZonePrimitive{
    "firewalld-zone", "firewalld's default zone exists and lets in only what is named.", kZoneArguments, evaluate_zone};
const Primitive kFirewallReviewPrimitive{"firewall-review", "Shows the rules that a person must judge.",
                                         kReviewArguments, evaluate_review};

} // namespace hostward::hardening
