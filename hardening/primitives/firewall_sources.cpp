// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/firewall_sources.h"

#include <algorithm>

namespace hostward::hardening {

namespace {

Result<std::vector<IpFamily>> meant_families(const Arguments& arguments, Facts& facts)
{
    const auto wanted = arguments.list_or_none("ip");
    const auto is_wanted = [&](const char* name) {
        return wanted.empty() || std::ranges::find(wanted, name) != wanted.end();
    };
    std::vector<IpFamily> families;
    if (is_wanted("4")) {
        families.push_back(IpFamily::V4);
    }
    if (is_wanted("6")) {
        TRY_ASSIGN(const bool has_six, has_ipv6(facts));
        if (has_six) {
            families.push_back(IpFamily::V6);
        }
    }
    return families;
}

} // namespace

const char* ip_name(IpFamily family) { return family == IpFamily::V4 ? "IPv4" : "IPv6"; }

std::string FilterView::text() const { return std::string(ip_name(family)) + ", " + source.when; }

Result<std::vector<FrontEnd>> meant_front_ends(const Arguments& arguments, Facts& facts)
{
    const auto& choice = facts.get<FirewallChoice>();
    if (!choice) {
        return choice.error().in("which firewall is in use");
    }
    const auto& names = arguments.list("of");
    std::vector<FrontEnd> meant;
    std::ranges::copy_if(choice->chosen, std::back_inserter(meant),
                         [&](FrontEnd one) { return std::ranges::find(names, front_end_name(one)) != names.end(); });
    return meant;
}

Result<Outcome> for_each_view(const Arguments& arguments, Facts& facts,
                              const std::function<Outcome(const FilterView&)>& judge, Times times)
{
    TRY_ASSIGN(const auto front_ends, meant_front_ends(arguments, facts));
    if (front_ends.empty()) {
        return Outcome::not_applicable(facts.get<FirewallChoice>()->text());
    }
    TRY_ASSIGN(const auto families, meant_families(arguments, facts));
    if (families.empty()) {
        return Outcome::not_applicable("IPv6 is switched off");
    }
    std::vector<Outcome> parts;
    for (const auto front_end : front_ends) {
        for (const auto& source : filter_sources(facts, front_end)) {
            if (times == Times::Boot && source.when == "now") {
                continue;
            }
            if (!source.rules || !source.rules->doubt.empty()) {
                parts.push_back(Outcome::cannot_tell(
                    source.when + ": " +
                    (source.rules ? "not understood: " + source.rules->doubt : source.rules.error().text)));
                continue;
            }
            for (const auto family : families) {
                parts.push_back(judge({source, *source.rules, family}));
            }
        }
    }
    return all_of(parts);
}

} // namespace hostward::hardening
