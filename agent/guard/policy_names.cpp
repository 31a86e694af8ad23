// SPDX-License-Identifier: Apache-2.0
// `unit` and `cgroup` conditions: names of cgroups, exact or with one `*` per path component.
#include "agent/base/text.h"
#include "agent/guard/policy_tables.h"
#include "agent/guard/unit_name.h"

#include <algorithm>
#include <array>
#include <bit>
#include <span>

namespace hostward::guard {

namespace {

/// Units that processes live in; other kinds (timers, targets ...) have no cgroup.
constexpr std::array<std::string_view, 6> kUnitSuffixes{".service", ".scope", ".slice", ".socket", ".mount", ".swap"};

/// Registers the glob's lengths as a shape that a lookup has to try.
bool add_shape(const hw_name_key& key, CompiledPolicy& out)
{
    const std::span<hw_shape> used(out.head.shapes, out.head.shape_count);
    if (key.exact != 0 || std::ranges::any_of(used, [&](const hw_shape& shape) {
            return shape.prefix_len == key.prefix_len && shape.suffix_len == key.suffix_len;
        })) {
        return true;
    }
    if (used.size() == HW_SHAPES_MAX) {
        return false;
    }
    out.head.shapes[out.head.shape_count++] = {key.prefix_len, key.suffix_len};
    return true;
}

std::string shapes_full()
{
    return "one `*` pattern too many: allowed are " + std::to_string(HW_SHAPES_MAX) +
           " different pairs of lengths before and after the `*`";
}

Result<hw_name_key> unit_pattern(std::string_view text)
{
    if (text == "*") {
        return invalid_error("it matches every unit: name the units that are meant");
    }
    TRY_ASSIGN(const hw_name_key key, name_pattern(text));
    if (std::ranges::none_of(kUnitSuffixes, [&](std::string_view suffix) {
            return text.size() > suffix.size() && text.ends_with(suffix);
        })) {
        return invalid_error("names of units end in .service, .scope, .slice, .socket, .mount or .swap");
    }
    return key;
}

/// The cgroup names that a pattern of units stands for. One that begins with `*` matches the escaped form as it is.
std::vector<std::string> cgroup_patterns(std::string_view text)
{
    const auto prefix = text.substr(0, text.find('*'));
    const bool exact = prefix.size() == text.size();
    std::vector<std::string> out;
    const UnitEscape escape = prefix.empty() ? UnitEscape::Never : unit_escape(prefix);
    if (escape != UnitEscape::Always) {
        out.emplace_back(text);
    }
    if (escape == UnitEscape::Always || (escape == UnitEscape::Sometimes && !exact)) {
        out.push_back("_" + std::string(text));
    }
    return out;
}

Status compile_unit(std::string_view text, std::size_t rule, CompiledPolicy& out)
{
    TRY(unit_pattern(text));
    for (const auto& pattern : cgroup_patterns(text)) {
        TRY_ASSIGN(const hw_name_key key, name_pattern(pattern));
        if (!add_shape(key, out)) {
            return invalid_error(shapes_full());
        }
        add_rule(out.names[key].unit_rules, rule);
    }
    return success();
}

Result<std::vector<hw_name_key>> path_pattern(std::string_view text)
{
    if (!text.starts_with('/') || text.size() == 1) {
        return invalid_error(
            "a cgroup is written as a path below the guarded cgroup, like \"/system.slice/a.service\"");
    }
    std::vector<hw_name_key> keys;
    for (const auto component : split(text.substr(1), '/')) {
        TRY_ASSIGN(const hw_name_key key, name_pattern(component));
        keys.push_back(key);
    }
    if (keys.size() > HW_PATTERN_DEPTH_MAX) {
        return invalid_error("it has " + std::to_string(keys.size()) + " components: allowed are " +
                             std::to_string(HW_PATTERN_DEPTH_MAX));
    }
    if (std::ranges::all_of(keys, [](const auto& k) { return k.exact == 0 && k.prefix_len + k.suffix_len == 0; })) {
        return invalid_error("it matches every cgroup: name at least one component");
    }
    return keys;
}

/// Bit of the pattern spelled by `keys`: an existing one with the same spelling, or a new one.
std::optional<std::uint64_t> find_pattern(const std::vector<hw_name_key>& keys, const CompiledPolicy& out)
{
    std::uint64_t same = out.head.pattern_ends[keys.size() - 1];
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const auto found = out.names.find(keys[i]);
        same &= found == out.names.end() ? 0 : found->second.at[i];
    }
    return same == 0 ? std::nullopt : std::optional(same);
}

Status compile_path(std::string_view text, std::size_t rule, CompiledPolicy& out)
{
    TRY_ASSIGN(const auto keys, path_pattern(text));
    if (const auto existing = find_pattern(keys, out)) {
        add_rule(out.head.pattern_rules[std::countr_zero(*existing)], rule);
        return success();
    }
    const auto pattern = static_cast<std::size_t>(std::popcount(out.head.pattern_start));
    if (pattern == HW_PATTERNS_MAX) {
        return invalid_error("more cgroup paths than the " + std::to_string(HW_PATTERNS_MAX) + " allowed");
    }
    for (const auto& key : keys) {
        if (!add_shape(key, out)) {
            return invalid_error(shapes_full());
        }
    }
    const std::uint64_t bit = std::uint64_t{1} << pattern;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        out.names[keys[i]].at[i] |= bit;
    }
    out.head.pattern_start |= bit;
    out.head.pattern_ends[keys.size() - 1] |= bit;
    add_rule(out.head.pattern_rules[pattern], rule);
    return success();
}

using CompileOne = Status (*)(std::string_view text, std::size_t rule, CompiledPolicy& out);

void compile_list(const config::Rule& rule, std::size_t index, const char* kind,
                  const std::vector<config::At<std::string>>& list, CompileOne compile_one, CompiledPolicy& out,
                  config::Complaints& errors)
{
    for (const auto& [text, place] : list) {
        if (const auto status = compile_one(text, index, out); !status) {
            errors.add(place,
                       "rule " + quote(rule.name) + ": " + kind + " " + quote(text) + ": " + status.error().text);
        }
    }
}

} // namespace

Result<hw_name_key> name_pattern(std::string_view text)
{
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    const bool is_dots = text == "." || text == "..";
    if (text.empty() || is_dots || text.find('/') != text.npos || std::ranges::any_of(text, is_control)) {
        return invalid_error("each name has at least one character, is not \".\" or \"..\", and holds no `/` and no "
                             "control character");
    }
    const auto stars = std::ranges::count(text, '*');
    if (stars > 1) {
        return invalid_error("allowed is one `*` in a name");
    }
    const std::size_t prefix = std::min(text.find('*'), text.size());
    const std::size_t length = text.size() - static_cast<std::size_t>(stars);
    if (length > HW_NAME_MAX) {
        return invalid_error("a name is " + std::to_string(length) + " bytes long: allowed are " +
                             std::to_string(HW_NAME_MAX));
    }
    hw_name_key key = {};
    key.exact = stars == 0;
    key.prefix_len = static_cast<std::uint8_t>(prefix);
    key.suffix_len = static_cast<std::uint8_t>(length - prefix);
    std::ranges::copy(text.substr(0, prefix), key.text);
    std::ranges::copy(text.substr(text.size() - key.suffix_len), key.text + prefix);
    return key;
}

bool is_user_manager_pattern(std::string_view unit)
{
    constexpr std::string_view before = "user@";
    constexpr std::string_view after = ".service";
    constexpr std::string_view digits = "0123456789";
    const auto star = unit.find('*');
    if (star == unit.npos) {
        return false;
    }
    const std::string_view prefix = unit.substr(0, star);
    const std::string_view suffix = unit.substr(star + 1);
    // The digits that the pattern spells, with and without one in the place of the `*`.
    std::string_view first = prefix.starts_with(before) ? prefix.substr(before.size()) : "";
    first = first.substr(0, first.find_first_not_of(digits));
    std::string_view last = suffix.ends_with(after) ? suffix.substr(0, suffix.size() - after.size()) : "";
    last = last.substr(last.find_last_not_of(digits) + 1); // npos + 1 is 0
    const std::array numbers{std::string(first) + std::string(last), std::string(first) + "1" + std::string(last)};
    return std::ranges::any_of(numbers, [&](const std::string& number) {
        const std::string name = std::string(before) + number + std::string(after);
        return !number.empty() && name.size() >= prefix.size() + suffix.size() && name.starts_with(prefix) &&
               name.ends_with(suffix);
    });
}

void compile_cgroups(const config::Rule& rule, std::size_t index, CompiledPolicy& out, config::Complaints& errors,
                     config::Complaints& warnings)
{
    if (!rule.units.empty() && !rule.cgroups.empty()) {
        errors.add(rule.place,
                   "rule " + quote(rule.name) + " names both unit and cgroup: write one of them, or two rules");
    }
    compile_list(rule, index, "unit", rule.units, compile_unit, out, errors);
    compile_list(rule, index, "cgroup", rule.cgroups, compile_path, out, errors);
    // With users named, somebody else's unit names do not help him.
    const bool is_open = rule.action == config::Action::Allow && rule.users.empty();
    for (const auto& [unit, place] : rule.units) {
        if (is_open && is_user_manager_pattern(unit)) {
            warnings.add(place, "rule " + quote(rule.name) + ": unit " + quote(unit) +
                                    " takes in user@N.service, below which user N runs what it likes: name the units "
                                    "or the users that are meant");
        }
    }
}

} // namespace hostward::guard
