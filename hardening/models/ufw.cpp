// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/ufw.h"

#include "hardening/models/iptables.h"
#include "hardening/models/shell_assignments.h"

#include <array>

namespace hostward::hardening {

namespace {

constexpr auto kConf = "/etc/ufw/ufw.conf";
constexpr auto kDefaults = "/etc/default/ufw";
constexpr std::array kPrimary{"before-logging", "before", "after", "after-logging", "reject", "track"};

struct Direction {
    std::string chain;  ///< INPUT
    std::string suffix; ///< -input
    std::string policy; ///< ACCEPT, DROP or REJECT
    Origin where;
};

std::string value_of(const std::vector<ShellAssignment>& all, std::string_view name)
{
    const auto* last = last_assignment(all, name);
    return last == nullptr ? std::string() : last->value;
}

bool is_yes(const std::string& value) { return value == "yes" || value == "YES"; }

Direction direction(const std::vector<ShellAssignment>& defaults, const std::string& name, const std::string& suffix)
{
    const std::string key = "DEFAULT_" + name + "_POLICY";
    const auto* last = last_assignment(defaults, key);
    return {name, suffix, value_of(defaults, key), last == nullptr ? Origin{kDefaults, 0} : last->where};
}

/// The chains that ufw's start makes before it reads files, as text of iptables-restore.
std::string skeleton(const std::string& prefix, const std::vector<Direction>& directions)
{
    std::string text = "*filter\n";
    std::string jumps;
    for (const auto& one : directions) {
        for (const auto* primary : kPrimary) {
            const std::string chain = prefix + primary + one.suffix;
            text += ":" + chain + " - [0:0]\n";
            jumps += "-A " + one.chain + " -j " + chain + "\n";
        }
        for (const auto* name : {"user", "user-logging"}) {
            text += ":" + prefix + name + one.suffix + " - [0:0]\n";
        }
        const std::string skip = prefix + "skip-to-policy" + one.suffix;
        text += ":" + skip + " - [0:0]\n";
        jumps += "-A " + skip + " -j " + one.policy + "\n";
        if (one.policy == "REJECT") {
            jumps += "-A " + prefix + "reject" + one.suffix + " -j REJECT\n";
        } else if (one.policy == "ACCEPT") {
            for (const auto* protocol : {"tcp", "udp"}) {
                jumps += "-A " + prefix + "track" + one.suffix + " -p " + protocol +
                         " -m conntrack --ctstate NEW -j ACCEPT\n";
            }
        }
    }
    for (const auto* name : {"logging-deny", "logging-allow", "user-limit", "user-limit-accept", "not-local"}) {
        text += std::string(":") + prefix + name + " - [0:0]\n";
    }
    return text + jumps;
}

/// What ufw loads where IPV6 is not yes: nothing passes but lo.
constexpr auto kNoIpv6 = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT DROP [0:0]\n"
                         "-A INPUT -i lo -j ACCEPT\n-A OUTPUT -o lo -j ACCEPT\n";

Status load_family(const host::Host& host, bool is_six, const std::vector<Direction>& directions, FilterRules& out)
{
    const std::string digit = is_six ? "6" : "";
    const std::string family = is_six ? "ip6" : "ip";
    const std::string prefix = "ufw" + digit + "-";
    parse_iptables(skeleton(prefix, directions), "ufw's start", family, out);
    for (const auto* name : {"before", "after", "user"}) {
        const std::string path = std::string("/etc/ufw/") + name + digit + ".rules";
        TRY_ASSIGN(const auto text, host::read_optional(host, path));
        if (!text) {
            out.doubt = path + " is not there: ufw does not start without it";
            return success();
        }
        parse_iptables(*text, path, family, out);
    }
    std::string last = "*filter\n";
    for (const auto& one : directions) {
        last += "-A " + prefix + "before" + one.suffix + " -j " + prefix + "user" + one.suffix + "\n";
    }
    parse_iptables(last, "ufw's start", family, out);
    for (const auto& one : directions) {
        if (auto* chain = out.find(family, "filter", one.chain)) {
            chain->drops = one.policy == "DROP" || one.policy == "REJECT";
            chain->where = one.where;
        }
    }
    return success();
}

} // namespace

Result<Ufw> Ufw::read(Facts& facts)
{
    Ufw ufw;
    TRY_ASSIGN(const auto conf, read_shell_assignments(facts.host(), kConf));
    TRY_ASSIGN(const auto defaults, read_shell_assignments(facts.host(), kDefaults));
    const auto* enabled = last_assignment(conf, "ENABLED");
    ufw.is_there = !conf.empty() || !defaults.empty();
    ufw.is_enabled = enabled != nullptr && is_yes(enabled->value);
    ufw.enabled_where = enabled == nullptr ? Origin{kConf, 0} : enabled->where;
    ufw.has_ipv6 = is_yes(value_of(defaults, "IPV6"));
    if (!ufw.is_enabled) {
        return ufw;
    }
    const std::vector<Direction> directions{direction(defaults, "INPUT", "-input"),
                                            direction(defaults, "FORWARD", "-forward"),
                                            direction(defaults, "OUTPUT", "-output")};
    TRY(load_family(facts.host(), false, directions, ufw.rules));
    if (ufw.has_ipv6) {
        TRY(load_family(facts.host(), true, directions, ufw.rules));
    } else {
        parse_iptables(kNoIpv6, "ufw's start with IPV6=no", "ip6", ufw.rules);
    }
    return ufw;
}

bool is_ufw_loaded(const FilterRules& running)
{
    for (const auto& chain : running.chains) {
        const bool is_input = chain.hook == FilterHook::Input;
        for (const auto& rule : chain.rules) {
            if (is_input && rule.action == FilterAction::Jump && rule.target.starts_with("ufw") &&
                rule.target.ends_with("before-input")) {
                return true;
            }
        }
    }
    return false;
}

} // namespace hostward::hardening
