// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/packet_filter.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

struct NamedHook {
    std::string_view name;
    FilterHook hook;
};

constexpr std::array kHooks{
    NamedHook{"prerouting", FilterHook::Prerouting},   NamedHook{"input", FilterHook::Input},
    NamedHook{"forward", FilterHook::Forward},         NamedHook{"output", FilterHook::Output},
    NamedHook{"postrouting", FilterHook::Postrouting},
};

std::string key_of(std::string_view family, std::string_view table, std::string_view name)
{
    std::string key(family);
    key += '\0';
    key += table;
    key += '\0';
    key += name;
    return key;
}

} // namespace

const char* hook_name(FilterHook hook)
{
    for (const auto& known : kHooks) {
        if (known.hook == hook) {
            return known.name.data();
        }
    }
    return "none";
}

FilterHook hook_of(std::string_view name)
{
    for (const auto& known : kHooks) {
        if (known.name == name) {
            return known.hook;
        }
    }
    return FilterHook::None;
}

bool FilterChain::covers(IpFamily ip) const
{
    return family == "inet" || family == (ip == IpFamily::V4 ? "ip" : "ip6");
}

FilterChain& FilterRules::add(FilterChain chain)
{
    const auto [at, is_new] = places_.emplace(key_of(chain.family, chain.table, chain.name), chains.size());
    if (is_new) {
        chains.push_back(std::move(chain));
    }
    return chains[at->second];
}

FilterChain* FilterRules::find(std::string_view family, std::string_view table, std::string_view name)
{
    const auto at = places_.find(key_of(family, table, name));
    return at == places_.end() ? nullptr : &chains[at->second];
}

const FilterChain* FilterRules::find(std::string_view family, std::string_view table, std::string_view name) const
{
    const auto at = places_.find(key_of(family, table, name));
    return at == places_.end() ? nullptr : &chains[at->second];
}

bool names_interface(const std::vector<std::string>& names, std::string_view interface)
{
    return std::ranges::any_of(names, [&](const std::string& name) {
        return name == interface || (name.ends_with('*') && interface.starts_with(name.substr(0, name.size() - 1)));
    });
}

} // namespace hostward::hardening
