// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/oracle/oracle.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <sstream>

namespace hostward::test {

namespace {

using config::Rule;
using guard::Caller;
using List = std::vector<config::At<std::string>>;

bool is_digits(const std::string& text) { return text.find_first_not_of("0123456789") == std::string::npos; }

/// Whether the list names this id, by number or by name.
bool names_id(const List& list, const std::map<std::string, std::uint32_t>& accounts, std::uint32_t id)
{
    for (const auto& item : list) {
        if (is_digits(item.value) ? std::strtoull(item.value.c_str(), nullptr, 10) == id
                                  : accounts.count(item.value) > 0 && accounts.at(item.value) == id) {
            return true;
        }
    }
    return false;
}

bool user_matches(const Rule& rule, const World& world, const Caller& caller)
{
    return rule.users.empty() ||
           (names_id(rule.users, world.users, caller.uid) && names_id(rule.users, world.users, caller.euid));
}

bool group_matches(const Rule& rule, const World& world, const Caller& caller)
{
    if (rule.groups.empty() || names_id(rule.groups, world.groups, caller.gid)) {
        return true;
    }
    return std::any_of(caller.groups.begin(), caller.groups.end(),
                       [&](std::uint32_t gid) { return names_id(rule.groups, world.groups, gid); });
}

bool exe_matches(const Rule& rule, const World& world, const Caller& caller)
{
    if (rule.exes.empty()) {
        return true;
    }
    for (const auto& path : rule.exes) {
        const auto found = world.exes.find(path.value);
        if (!caller.exe || found == world.exes.end() || !found->second.fact) {
            continue;
        }
        const auto& file = *found->second.fact;
        if (file.inode == caller.exe->inode && file.device == caller.exe->device &&
            file.generation == caller.exe->generation) {
            return true;
        }
    }
    return false;
}

/// "/a/b" to {"a", "b"}.
std::vector<std::string> parts(const std::string& path)
{
    std::vector<std::string> out;
    std::istringstream stream(path);
    std::string part;
    std::getline(stream, part, '/'); // before the first slash there is nothing
    while (std::getline(stream, part, '/')) {
        out.push_back(part);
    }
    return out;
}

bool is_slice(const std::string& name)
{
    const std::string end = ".slice";
    return name.size() >= end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
}

/// The caller is in a cgroup of that name, or below one, and everything above it is a slice.
bool unit_matches(const std::string& unit, const std::vector<std::string>& path)
{
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (oracle_glob(unit, path[i])) {
            return true;
        }
        if (!is_slice(path[i])) {
            return false;
        }
    }
    return false;
}

bool path_matches(const std::string& pattern, const std::vector<std::string>& path)
{
    const auto wanted = parts(pattern);
    if (wanted.size() > path.size()) {
        return false;
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (!oracle_glob(wanted[i], path[i])) {
            return false;
        }
    }
    return true;
}

bool cgroup_matches(const Rule& rule, const Caller& caller)
{
    if (rule.units.empty() && rule.cgroups.empty()) {
        return true;
    }
    const auto path = parts(caller.cgroup_path);
    return std::any_of(rule.units.begin(), rule.units.end(),
                       [&](const auto& unit) { return unit_matches(unit.value, path); }) ||
           std::any_of(rule.cgroups.begin(), rule.cgroups.end(),
                       [&](const auto& pattern) { return path_matches(pattern.value, path); });
}

bool endpoint_matches(const config::GuardConfig& config, const Rule& rule, std::uint32_t endpoint)
{
    return rule.endpoints.empty() || std::any_of(rule.endpoints.begin(), rule.endpoints.end(), [&](const auto& name) {
               return name.value == config.endpoints[endpoint].name;
           });
}

bool scope_matches(const Rule& rule, const Caller& caller)
{
    switch (rule.scope) {
    case config::Scope::Any: return true;
    case config::Scope::Host: return !caller.container;
    case config::Scope::Container: return caller.container;
    }
    return false;
}

std::optional<hw_reason> out_of_bounds(const config::GuardConfig& config, const Caller& caller)
{
    if (caller.kernel_thread) {
        return HW_REASON_KERNEL_THREAD;
    }
    bool asks_groups = false;
    bool asks_cgroups = false;
    for (const auto& rule : config.rules) {
        asks_groups = asks_groups || !rule.groups.empty();
        asks_cgroups = asks_cgroups || !rule.units.empty() || !rule.cgroups.empty();
    }
    if (asks_groups && caller.groups.size() > 256) {
        return HW_REASON_GROUPS_OVERFLOW;
    }
    if (asks_cgroups && parts(caller.cgroup_path).size() > 16) {
        return HW_REASON_CGROUP_DEPTH;
    }
    return std::nullopt;
}

} // namespace

bool oracle_glob(std::string_view pattern, std::string_view text)
{
    if (pattern.empty()) {
        return text.empty();
    }
    if (pattern[0] != '*') {
        return !text.empty() && pattern[0] == text[0] && oracle_glob(pattern.substr(1), text.substr(1));
    }
    for (std::size_t skipped = 0; skipped <= text.size(); ++skipped) {
        if (oracle_glob(pattern.substr(1), text.substr(skipped))) {
            return true;
        }
    }
    return false;
}

Address address_of(const std::string& text)
{
    Address out{};
    in_addr v4 = {};
    if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) {
        out[10] = out[11] = 0xff;
        std::memcpy(&out[12], &v4, sizeof(v4));
    } else {
        (void)::inet_pton(AF_INET6, text.c_str(), out.data()); // the generator writes only addresses
    }
    return out;
}

std::optional<std::uint32_t> oracle_endpoint(const config::GuardConfig& config, const Address& address)
{
    for (std::uint32_t i = 0; i < config.endpoints.size(); ++i) {
        for (const auto& text : config.endpoints[i].addresses) {
            if (address_of(text.value) == address) {
                return i;
            }
        }
    }
    return std::nullopt;
}

std::string oracle_failed(const config::GuardConfig& config, const World& world, const Rule& rule, const Caller& caller,
                          std::uint32_t endpoint)
{
    if (!endpoint_matches(config, rule, endpoint)) {
        return "endpoint";
    }
    if (!scope_matches(rule, caller)) {
        return "scope";
    }
    if (!user_matches(rule, world, caller)) {
        return "user";
    }
    if (!group_matches(rule, world, caller)) {
        return "group";
    }
    if (!exe_matches(rule, world, caller)) {
        return "exe";
    }
    return cgroup_matches(rule, caller) ? "" : "cgroup";
}

std::optional<guard::Decision> oracle_decide(const config::GuardConfig& config, const World& world,
                                             const Caller& caller, const Address& address)
{
    const auto endpoint = oracle_endpoint(config, address);
    if (!endpoint) {
        return std::nullopt;
    }
    if (const auto reason = out_of_bounds(config, caller)) {
        return guard::Decision{HW_DENY, *reason, HW_NO_RULE};
    }
    const auto verdict = [](config::Action action) { return action == config::Action::Allow ? HW_ALLOW : HW_DENY; };
    for (std::uint32_t i = 0; i < config.rules.size(); ++i) {
        if (oracle_failed(config, world, config.rules[i], caller, *endpoint).empty()) {
            return guard::Decision{verdict(config.rules[i].action), HW_REASON_RULE, i};
        }
    }
    return guard::Decision{verdict(config.endpoints[*endpoint].default_action), HW_REASON_DEFAULT, HW_NO_RULE};
}

} // namespace hostward::test
