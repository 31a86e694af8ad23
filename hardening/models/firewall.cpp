// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/firewall.h"

#include "hardening/models/iptables.h"
#include "hardening/models/nft.h"
#include "hardening/models/packages.h"
#include "hardening/models/sysctl.h"
#include "hardening/models/ufw.h"
#include "hardening/models/units.h"

#include <array>

namespace hostward::hardening {

namespace {

struct Known {
    FrontEnd front_end;
    const char* name;
    std::array<const char*, 3> units;
    const char* package; ///< that says it was meant to be used
};

/// In the order in which one counts as chosen where none is in use.
constexpr std::array kKnown{
    Known{FrontEnd::Firewalld, "firewalld", {"firewalld.service"}, "firewalld"},
    Known{FrontEnd::Ufw, "ufw", {"ufw.service"}, "ufw"},
    Known{FrontEnd::Nftables, "nftables", {"nftables.service"}, "nftables"},
    Known{FrontEnd::Iptables,
          "iptables",
          {"netfilter-persistent.service", "iptables.service", "ip6tables.service"},
          "iptables-persistent"},
};

Result<bool> is_unit_on(Facts& facts, const char* name)
{
    const auto& units = facts.get<Units>();
    if (!units) {
        return units.error();
    }
    TRY_ASSIGN(const UnitState state, units->state(facts, name));
    if (state == UnitState::Enabled || state == UnitState::EnabledRuntime || !units->pulled_by(name).empty()) {
        return true;
    }
    // What no file starts may run all the same; where systemd cannot be asked, the files are all there is.
    const auto& running = facts.get<RunningUnits>();
    const auto now = running ? running->find(name) : std::nullopt;
    return now && now->active == "active";
}

/// ufw has a switch of its own, and `ufw enable` starts no unit.
Result<bool> is_ufw_in_use(Facts& facts, bool is_unit_on)
{
    const auto& ufw = facts.get<Ufw>();
    if (!ufw) {
        return is_unit_on ? Result<bool>(true) : Result<bool>(ufw.error());
    }
    const auto& units = facts.get<Units>();
    return ufw->is_enabled && (is_unit_on || (units && !units->path_of("ufw.service").empty()));
}

Result<bool> is_in_use(Facts& facts, const Known& known)
{
    bool is_on = false;
    for (const char* unit : known.units) {
        TRY_ASSIGN(const bool starts, unit == nullptr ? Result<bool>(false) : is_unit_on(facts, unit));
        is_on = is_on || starts;
    }
    return known.front_end == FrontEnd::Ufw ? is_ufw_in_use(facts, is_on) : Result<bool>(is_on);
}

Result<FrontEnd> fallback(Facts& facts)
{
    const auto& packages = facts.get<Packages>();
    if (!packages) {
        return packages.error().kind == ErrorKind::NotFound ? Result<FrontEnd>(FrontEnd::Nftables)
                                                            : Result<FrontEnd>(packages.error());
    }
    for (const auto& known : kKnown) {
        const auto [first, last] = packages->all.equal_range(known.package);
        for (auto at = first; at != last; ++at) {
            if (at->second.state == PackageState::Installed) {
                return known.front_end;
            }
        }
    }
    return FrontEnd::Nftables;
}

template <typename Model> FilterSource source(Facts& facts, std::string when, std::string where)
{
    const auto& model = facts.get<Model>();
    return {std::move(when), std::move(where), model ? Result<FilterRules>(model->rules) : model.error()};
}

FilterSource boot_nft(Facts& facts)
{
    const auto& boot = facts.get<BootNft>();
    const bool has_file = boot && !boot->file.empty();
    return source<BootNft>(facts, "at the next boot", has_file ? boot->file : "nft's configuration");
}

} // namespace

const char* front_end_name(FrontEnd front_end)
{
    for (const auto& known : kKnown) {
        if (known.front_end == front_end) {
            return known.name;
        }
    }
    return "";
}

Result<FirewallChoice> FirewallChoice::read(Facts& facts)
{
    FirewallChoice choice;
    for (const auto& known : kKnown) {
        TRY_ASSIGN(const bool is_used, is_in_use(facts, known));
        if (is_used) {
            choice.in_use.insert(known.front_end);
        }
    }
    choice.chosen = choice.in_use;
    if (choice.chosen.empty()) {
        TRY_ASSIGN(const FrontEnd one, fallback(facts));
        choice.chosen.insert(one);
    }
    return choice;
}

std::string FirewallChoice::text() const
{
    std::string names;
    for (const auto one : chosen) {
        names += (names.empty() ? "" : " and ") + std::string(front_end_name(one));
    }
    return in_use.empty() ? "no firewall is in use; the rules for " + names + " apply" : names + " is in use";
}

std::vector<FilterSource> filter_sources(Facts& facts, FrontEnd front_end)
{
    const bool is_running = facts.host().is_running();
    std::vector<FilterSource> found;
    switch (front_end) {
    case FrontEnd::Firewalld:
        if (is_running) {
            found.push_back(source<RunningNft>(facts, "now", "nft -j list ruleset"));
        } else {
            found.push_back({"at the next boot", "firewalld",
                             Error{ErrorKind::Unsupported, 0, "firewalld makes its rules when it starts"}});
        }
        break;
    case FrontEnd::Nftables:
        if (is_running) {
            found.push_back(source<RunningNft>(facts, "now", "nft -j list ruleset"));
        }
        found.push_back(boot_nft(facts));
        break;
    case FrontEnd::Iptables:
        if (is_running) {
            found.push_back(source<RunningIptables>(facts, "now", "iptables-save"));
        }
        found.push_back(source<BootIptables>(facts, "at the next boot", "/etc/iptables"));
        break;
    case FrontEnd::Ufw:
        if (is_running) {
            found.push_back(source<RunningIptables>(facts, "now", "iptables-save"));
        }
        found.push_back(source<Ufw>(facts, "at the next boot", "/etc/ufw"));
        break;
    }
    return found;
}

Result<bool> has_ipv6(Facts& facts)
{
    constexpr auto kKey = "net/ipv6/conf/all/disable_ipv6";
    if (facts.host().is_running()) {
        const auto now = running_sysctl(facts.host(), kKey);
        return now ? Result<bool>(now->has_value() && **now == "0") : Result<bool>(now.error());
    }
    const auto& config = facts.get<SysctlConfig>();
    if (!config) {
        return config.error();
    }
    const auto* setting = config->at_boot(kKey);
    return setting == nullptr || !setting->value || trimmed(*setting->value) == "0";
}

} // namespace hostward::hardening
