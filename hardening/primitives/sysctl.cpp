// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"

#include "agent/base/text.h"
#include "hardening/models/lines.h"
#include "hardening/models/sysctl.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kArguments{
    ArgumentSpec{"keys", ValueType::List, true, "parameters, all of them: `net.ipv4.conf.all.rp_filter`", {}},
    ArgumentSpec{"values", ValueType::List, true, "values, one of which each parameter must have", {}},
};

/// The kernel takes a number up to a blank; other values are taken whole.
std::string taken(const std::string& value)
{
    const auto parts = words(value);
    const bool is_number = !parts.empty() && parse_number<std::int64_t>(parts[0]).has_value();
    return is_number ? std::string(parts[0]) : value;
}

bool is_one_of(const std::string& value, const std::vector<std::string>& wanted)
{
    return std::ranges::find(wanted, taken(value)) != wanted.end();
}

/// A kernel without IPv6 has none of its parameters, and nothing for them to protect.
bool is_of_absent_ipv6(const host::Host& host, const std::string& key)
{
    const auto has_ipv6 = host::exists(host, "/proc/sys/net/ipv6");
    return key.starts_with("net/ipv6/") && has_ipv6.ok() && !*has_ipv6;
}

Outcome of_running(const host::Host& host, const std::string& key, const std::vector<std::string>& wanted)
{
    const std::string where = "/proc/sys/" + key;
    if (!host.is_running()) {
        return Outcome::not_applicable("an image has no running kernel");
    }
    const auto value = running_sysctl(host, key);
    if (!value) {
        return Outcome::cannot_tell(value.error().text);
    }
    if (!*value && is_of_absent_ipv6(host, key)) {
        return Outcome::not_applicable("the running kernel has no IPv6");
    }
    if (!*value) {
        return Outcome::of(Verdict::Fail, {joined(wanted, " or "), "the running kernel has no such parameter", where});
    }
    return Outcome::pass_if(is_one_of(**value, wanted), {joined(wanted, " or "), **value + " now", where});
}

Outcome of_boot(const SysctlConfig& config, const std::string& name, const std::vector<std::string>& wanted)
{
    const auto* setting = config.at_boot(sysctl_key(name));
    if (setting == nullptr) {
        return Outcome::of(Verdict::Fail, {joined(wanted, " or "), "nothing sets " + name + " for the next boot",
                                           "/etc/sysctl.d, /run/sysctl.d, /usr/local/lib/sysctl.d, /usr/lib/sysctl.d"});
    }
    return Outcome::pass_if(is_one_of(*setting->value, wanted),
                            {joined(wanted, " or "), *setting->value + " at the next boot", setting->where.text()});
}

Result<Outcome> evaluate_sysctl(const Arguments& arguments, Facts& facts)
{
    const auto& config = facts.get<SysctlConfig>();
    if (!config) {
        return config.error();
    }
    const auto& wanted = arguments.list("values");
    std::vector<Outcome> parts;
    for (const auto& name : arguments.list("keys")) {
        const std::string key = sysctl_key(name);
        auto running = of_running(facts.host(), key, wanted);
        const bool has_no_ipv6 = facts.host().is_running() && running.verdict == Verdict::NotApplicable;
        parts.push_back(std::move(running));
        if (!has_no_ipv6) {
            parts.push_back(of_boot(*config, name, wanted));
        }
    }
    return all_of(parts);
}

} // namespace

const Primitive kSysctlPrimitive{
    "sysctl",
    "Kernel parameters have one of the values, in the running kernel and after the next boot (sysctl.d and ufw).",
    kArguments, evaluate_sysctl};

} // namespace hostward::hardening
