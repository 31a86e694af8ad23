// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/decide.h"

#include "agent/base/text.h"
#include "agent/guard/policy_tables.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string_view>

namespace hostward::guard {

namespace {

using Words = std::array<std::uint64_t, HW_RULE_WORDS>;

Words words(const RuleSet& set)
{
    Words out;
    std::ranges::copy(set, out.begin());
    return out;
}

/// Both kinds of set, ours and the ABI's.
template <typename Set> void unite(Words& set, const Set& more)
{
    for (std::size_t i = 0; i < HW_RULE_WORDS; ++i) {
        set[i] |= more[i];
    }
}

void intersect(Words& set, const Words& other)
{
    for (std::size_t i = 0; i < HW_RULE_WORDS; ++i) {
        set[i] &= other[i];
    }
}

bool contains(const Words& set, std::uint32_t rule) { return (set[rule / 64] >> (rule % 64) & 1) != 0; }

std::uint32_t lowest(const Words& set)
{
    for (std::uint32_t i = 0; i < HW_RULE_WORDS; ++i) {
        if (set[i] != 0) {
            return i * 64 + static_cast<std::uint32_t>(std::countr_zero(set[i]));
        }
    }
    return HW_NO_RULE;
}

/// The rules that name this fact.
Words named(const CompiledPolicy& policy, const hw_fact_key& key)
{
    const auto found = policy.facts.find(key);
    return found == policy.facts.end() ? Words{} : words(found->second.rules);
}

Words endpoint_rules(const CompiledPolicy& policy, std::uint32_t endpoint)
{
    for (const auto& [key, fact] : policy.facts) {
        if (key.kind == HW_FACT_ENDPOINT && fact.endpoint == endpoint) {
            return words(fact.rules); // the same for every address of the endpoint
        }
    }
    return {};
}

/// Both the real and the effective user must be named: a setuid program is neither its caller nor its owner.
Words user_rules(const CompiledPolicy& policy, const Caller& caller)
{
    Words set = named(policy, fact_key(HW_FACT_USER, caller.uid));
    intersect(set, named(policy, fact_key(HW_FACT_USER, caller.euid)));
    unite(set, policy.head.any[HW_COND_USER]);
    return set;
}

/// The effective group does not count: a setgid program must not gain by it.
Words group_rules(const CompiledPolicy& policy, const Caller& caller)
{
    Words set = named(policy, fact_key(HW_FACT_GROUP, caller.gid));
    for (const auto gid : caller.groups) {
        unite(set, named(policy, fact_key(HW_FACT_GROUP, gid)));
    }
    unite(set, policy.head.any[HW_COND_GROUP]);
    return set;
}

Words exe_rules(const CompiledPolicy& policy, const Caller& caller)
{
    Words set = words(policy.head.any[HW_COND_EXE]);
    if (caller.exe) {
        const std::uint64_t b = hw_exe_key_b(caller.exe->device, caller.exe->generation);
        unite(set, named(policy, fact_key(HW_FACT_EXE, caller.exe->inode, b)));
    }
    return set;
}

std::vector<std::string_view> components(std::string_view path)
{
    if (path.starts_with('/')) {
        path.remove_prefix(1);
    }
    return path.empty() ? std::vector<std::string_view>{} : split(path, '/');
}

/// What one path component matches: the names table asked for the exact name and for every shape.
struct NameHit {
    Words unit_rules{};
    std::array<std::uint64_t, HW_PATTERN_DEPTH_MAX> at{};
};

void add_hit(const CompiledPolicy& policy, const hw_name_key& key, NameHit& hit)
{
    const auto found = policy.names.find(key);
    if (found == policy.names.end()) {
        return;
    }
    unite(hit.unit_rules, found->second.unit_rules);
    for (std::size_t i = 0; i < HW_PATTERN_DEPTH_MAX; ++i) {
        hit.at[i] |= found->second.at[i];
    }
}

NameHit look_up(const CompiledPolicy& policy, std::string_view component)
{
    NameHit hit;
    if (component.size() <= HW_NAME_MAX) {
        hw_name_key key = {};
        key.exact = 1;
        key.prefix_len = static_cast<std::uint8_t>(component.size());
        component.copy(key.text, sizeof(key.text));
        add_hit(policy, key, hit);
    }
    for (std::uint32_t i = 0; i < policy.head.shape_count; ++i) {
        const hw_shape& shape = policy.head.shapes[i];
        if (component.size() < std::size_t{shape.prefix_len} + shape.suffix_len) {
            continue;
        }
        hw_name_key key = {};
        key.prefix_len = shape.prefix_len;
        key.suffix_len = shape.suffix_len;
        component.copy(key.text, shape.prefix_len);
        component.copy(key.text + shape.prefix_len, shape.suffix_len, component.size() - shape.suffix_len);
        add_hit(policy, key, hit);
    }
    return hit;
}

/// Walks the path from the top; a rule that matches a cgroup matches everything below it too.
Words cgroup_rules(const CompiledPolicy& policy, const Caller& caller)
{
    Words set = words(policy.head.any[HW_COND_CGROUP]);
    std::uint64_t alive = policy.head.pattern_start;
    bool only_slices = true;
    std::size_t level = 0;
    for (const auto component : components(caller.cgroup_path)) {
        const NameHit hit = look_up(policy, component);
        if (only_slices) {
            unite(set, hit.unit_rules);
        }
        only_slices = only_slices && component.ends_with(".slice");
        if (level < HW_PATTERN_DEPTH_MAX) {
            alive &= hit.at[level];
            for (std::uint64_t done = alive & policy.head.pattern_ends[level]; done != 0; done &= done - 1) {
                unite(set, policy.head.pattern_rules[std::countr_zero(done)]);
            }
        }
        ++level;
    }
    return set;
}

/// A caller that no rule is asked about.
std::optional<hw_reason> refused_unasked(const CompiledPolicy& policy, const Caller& caller)
{
    if (caller.kernel_thread) {
        return HW_REASON_KERNEL_THREAD;
    }
    if ((policy.head.flags & HW_HEAD_HAS_GROUPS) != 0 && caller.groups.size() > HW_GROUPS_MAX) {
        return HW_REASON_GROUPS_OVERFLOW;
    }
    if ((policy.head.flags & HW_HEAD_HAS_CGROUPS) != 0 && components(caller.cgroup_path).size() > HW_CGROUP_DEPTH_MAX) {
        return HW_REASON_CGROUP_DEPTH;
    }
    return std::nullopt;
}

/// The rule set of every condition, in the order in which trace() names what failed.
struct ConditionSet {
    const char* name;
    Words rules;
};

std::array<ConditionSet, 6> condition_sets(const CompiledPolicy& policy, const Caller& caller, std::uint32_t endpoint)
{
    return {{
        {"endpoint", endpoint_rules(policy, endpoint)},
        {"scope", words(policy.head.scope[caller.container ? 1 : 0])},
        {"user", user_rules(policy, caller)},
        {"group", group_rules(policy, caller)},
        {"exe", exe_rules(policy, caller)},
        {"cgroup", cgroup_rules(policy, caller)},
    }};
}

std::uint32_t first_match(const std::array<ConditionSet, 6>& conditions)
{
    Words matching = conditions[0].rules;
    for (const auto& condition : conditions) {
        intersect(matching, condition.rules);
    }
    return lowest(matching);
}

} // namespace

hw_fact_key endpoint_key(const unsigned char* address, std::size_t size)
{
    AddressBytes bytes{};
    if (size == 4) {
        bytes[10] = bytes[11] = 0xff;
        std::memcpy(bytes.data() + 12, address, 4);
    } else {
        std::memcpy(bytes.data(), address, bytes.size());
    }
    hw_fact_key key = fact_key(HW_FACT_ENDPOINT, 0);
    std::memcpy(&key.a, bytes.data(), sizeof(key.a));
    std::memcpy(&key.b, bytes.data() + sizeof(key.a), sizeof(key.b));
    return key;
}

std::optional<std::uint32_t> endpoint_of(const CompiledPolicy& policy, const hw_fact_key& key)
{
    const auto found = policy.facts.find(key);
    return found == policy.facts.end() ? std::nullopt : std::optional(found->second.endpoint);
}

Decision decide(const CompiledPolicy& policy, const Caller& caller, std::uint32_t endpoint)
{
    if (const auto reason = refused_unasked(policy, caller)) {
        return {HW_DENY, *reason, HW_NO_RULE};
    }
    const std::uint32_t rule = first_match(condition_sets(policy, caller, endpoint));
    if (rule == HW_NO_RULE) {
        const auto verdict = static_cast<hw_verdict>(policy.head.endpoints[endpoint].default_verdict);
        return {verdict, HW_REASON_DEFAULT, HW_NO_RULE};
    }
    return {contains(words(policy.head.allow), rule) ? HW_ALLOW : HW_DENY, HW_REASON_RULE, rule};
}

std::vector<RuleTrace> trace(const CompiledPolicy& policy, const Caller& caller, std::uint32_t endpoint)
{
    if (refused_unasked(policy, caller)) {
        return {};
    }
    const auto conditions = condition_sets(policy, caller, endpoint);
    std::vector<RuleTrace> out;
    for (std::uint32_t rule = 0; rule < policy.head.rule_count; ++rule) {
        const auto failed =
            std::ranges::find_if(conditions, [&](const auto& condition) { return !contains(condition.rules, rule); });
        const bool matched = failed == conditions.end();
        out.push_back({rule, matched, matched ? "" : failed->name});
        if (matched) {
            break;
        }
    }
    return out;
}

} // namespace hostward::guard
