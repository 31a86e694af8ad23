// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/policy.h"

#include "agent/base/text.h"
#include "agent/guard/policy_tables.h"

#include <linux/limits.h>

#include <algorithm>
#include <cstring>
#include <set>

namespace hostward::guard {

namespace {

using config::At;
using config::Complaints;
using config::Rule;

constexpr std::size_t kNameMax = 64;         ///< bytes of a rule's or an endpoint's name
constexpr std::size_t kAccountNameMax = 256; ///< bytes of a user's or a group's name
constexpr std::uint32_t kIdMax = 4294967294; ///< one less than (uid_t)-1, which means nobody

struct Build {
    const config::GuardConfig& config;
    Resolver& resolver;
    CompiledPolicy out;
    Complaints errors;
    Complaints warnings;
    Complaints notes;
    std::string absent; ///< of the rule of a preset being compiled: conditions that nothing here can meet
    // Every name is asked once, so that two rules cannot see two answers.
    std::map<std::string, std::optional<std::uint32_t>> users;
    std::map<std::string, std::optional<std::uint32_t>> groups;
    std::map<std::string, Result<ExeInfo>> exes;
};

bool is_own(const Rule& rule) { return rule.preset.empty(); }

std::string in_rule(const Rule& rule, const std::string& text)
{
    return "rule " + quote(rule.name) + (is_own(rule) ? "" : " of preset " + quote(rule.preset)) + ": " + text;
}

/// Names are printed in tables, lines and JSON; what they may hold keeps all of them readable.
void check_name(const char* what, const std::string& name, const config::Place& place, Complaints& errors)
{
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("._-:@").find(c) != std::string_view::npos;
    };
    if (name.empty() || name.size() > kNameMax || !std::ranges::all_of(name, is_plain)) {
        errors.add(place, std::string(what) + " name " + quote(name) + ": allowed are 1 to " +
                              std::to_string(kNameMax) + " of letters, digits and . _ - : @");
    }
}

void check_names(Build& build)
{
    std::set<std::string_view> seen;
    for (const auto& rule : build.config.rules) {
        check_name("rule", rule.name, rule.place, build.errors);
        if (!seen.insert(rule.name).second) {
            build.errors.add(rule.place, "rule name " + quote(rule.name) + " is used twice");
        }
    }
    for (const auto& endpoint : build.config.endpoints) {
        check_name("endpoint", endpoint.name, endpoint.place, build.errors);
    }
}

/// What differs between `user` and `group`.
struct AccountKind {
    const char* word;
    hw_fact_kind fact;
    hw_condition condition;
    std::optional<std::uint32_t> (Resolver::*resolve)(const std::string& name);
    std::map<std::string, std::optional<std::uint32_t>> Build::*cache;
};
constexpr AccountKind kUser{"user", HW_FACT_USER, HW_COND_USER, &Resolver::user, &Build::users};
constexpr AccountKind kGroup{"group", HW_FACT_GROUP, HW_COND_GROUP, &Resolver::group, &Build::groups};

bool is_account_name(const std::string& name)
{
    const auto is_bad = [](char c) {
        return c == ':' || c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    };
    return !name.empty() && name.size() <= kAccountNameMax && name[0] != '-' && name[0] != '+' &&
           std::ranges::none_of(name, is_bad);
}

/// The id, nothing if the account does not exist; complains about both that and a name that cannot be.
std::optional<std::uint32_t> resolve_account(const Rule& rule, const AccountKind& kind, const At<std::string>& name,
                                             Build& build)
{
    const std::string what = in_rule(rule, kind.word + (" " + quote(name.value)));
    if (!name.value.empty() && std::ranges::all_of(name.value, [](char c) { return c >= '0' && c <= '9'; })) {
        const auto id = parse_number<std::uint32_t>(name.value);
        if (!id || *id > kIdMax) {
            build.errors.add(name.place, what + " is out of range: allowed are 0 to " + std::to_string(kIdMax));
            return std::nullopt;
        }
        return id;
    }
    if (!is_account_name(name.value)) {
        build.errors.add(name.place, what + " is no name: allowed are 1 to " + std::to_string(kAccountNameMax) +
                                         " bytes without `:`, `/` and control characters, not begun with + or -");
        return std::nullopt;
    }
    auto& cache = build.*kind.cache;
    auto known = cache.find(name.value);
    if (known == cache.end()) {
        known = cache.emplace(name.value, (build.resolver.*kind.resolve)(name.value)).first;
    }
    if (!known->second && is_own(rule)) {
        build.warnings.add(name.place, what + " does not exist: the rule cannot match through it until it does");
    }
    return known->second;
}

/// Remembers a condition of a preset's rule whose every name is unknown here.
void note_absent(const Rule& rule, const char* word, const std::vector<At<std::string>>& names, std::size_t found,
                 Build& build)
{
    if (is_own(rule) || names.empty() || found != 0) {
        return;
    }
    std::vector<std::string> values;
    std::ranges::transform(names, std::back_inserter(values), &At<std::string>::value);
    build.absent += (build.absent.empty() ? "no " : "; no ") + (word + (" " + config::quoted_list(values)));
}

void compile_accounts(const Rule& rule, std::size_t index, const AccountKind& kind,
                      const std::vector<At<std::string>>& names, Build& build)
{
    std::size_t found = 0;
    for (const auto& name : names) {
        if (const auto id = resolve_account(rule, kind, name, build)) {
            add_rule(build.out.facts[fact_key(kind.fact, *id)].rules, index);
            ++found;
        }
    }
    note_absent(rule, kind.word, names, found, build);
}

/// Why `path` cannot name a program, or nothing.
std::string path_fault(const std::string& path)
{
    if (!path.starts_with('/')) {
        return "is not an absolute path";
    }
    if (path.size() >= PATH_MAX || path.find('\0') != std::string::npos) {
        return "is no path: allowed are up to " + std::to_string(PATH_MAX - 1) + " bytes without NUL";
    }
    for (const auto part : split(std::string_view(path).substr(1), '/')) {
        if (part.empty() || part == "." || part == "..") {
            return "has a component that is empty, \".\" or \"..\": write the plain path";
        }
    }
    return "";
}

const Result<ExeInfo>& look_up_exe(const std::string& path, Build& build)
{
    auto known = build.exes.find(path);
    if (known == build.exes.end()) {
        known = build.exes.emplace(path, build.resolver.exe(path)).first;
        build.out.watched_files.push_back(path);
    }
    return known->second;
}

/// Another user could choose what program this is, or nobody can say.
void refuse_exe(const Rule& rule, const At<std::string>& path, const std::string& text, Build& build)
{
    if (is_own(rule)) {
        build.errors.add(path.place, text);
    } else {
        build.warnings.add(path.place, text + ": the rule does not match through it");
    }
}

/// Whether there is such a program, and the rule now matches it.
bool compile_exe(const Rule& rule, std::size_t index, const At<std::string>& path, bool alone, Build& build)
{
    const std::string what = in_rule(rule, "exe " + quote(path.value));
    if (const std::string fault = path_fault(path.value); !fault.empty()) {
        build.errors.add(path.place, what + " " + fault);
        return false;
    }
    const auto& info = look_up_exe(path.value, build);
    if (!info) {
        refuse_exe(rule, path, what + " cannot be looked at: " + info.error().text, build);
        return false;
    }
    if (!info->writable_by.empty() && (is_own(rule) || info->fact)) {
        refuse_exe(rule, path, what + " can be replaced by a user other than root: " + info->writable_by, build);
        return false;
    }
    if (info->interpreter && alone) {
        build.warnings.add(path.place, what + " is an interpreter and the rule's only condition: it matches every "
                                              "script that anybody runs with it");
    }
    if (!info->fact) {
        if (is_own(rule)) {
            build.warnings.add(path.place, what + " does not exist: the rule cannot match through it until it does");
        }
        return false;
    }
    const auto& fact = *info->fact;
    const auto key = fact_key(HW_FACT_EXE, fact.inode, hw_exe_key_b(fact.device, fact.generation));
    add_rule(build.out.facts[key].rules, index);
    return true;
}

void compile_exes(const Rule& rule, std::size_t index, Build& build)
{
    const bool alone = rule.users.empty() && rule.groups.empty() && rule.units.empty() && rule.cgroups.empty();
    std::size_t found = 0;
    for (const auto& path : rule.exes) {
        if (compile_exe(rule, index, path, alone, build)) {
            ++found;
        }
    }
    note_absent(rule, "exe", rule.exes, found, build);
    if (!rule.exes.empty() && alone && rule.action == config::Action::Deny) {
        build.warnings.add(rule.place, in_rule(rule, "denies by exe alone: a copy of the program is not denied"));
    }
}

/// A condition that the rule names is absent from `any`, even when none of its values can match now.
void compile_any(const Rule& rule, std::size_t index, Build& build)
{
    auto& head = build.out.head;
    const bool names[HW_COND_COUNT] = {!rule.users.empty(), !rule.groups.empty(), !rule.exes.empty(),
                                       !rule.units.empty() || !rule.cgroups.empty()};
    for (std::size_t condition = 0; condition < HW_COND_COUNT; ++condition) {
        if (!names[condition]) {
            add_rule(head.any[condition], index);
        }
    }
    head.flags |= names[HW_COND_GROUP] ? std::uint32_t{HW_HEAD_HAS_GROUPS} : 0U;
    head.flags |= names[HW_COND_CGROUP] ? std::uint32_t{HW_HEAD_HAS_CGROUPS} : 0U;
    if (std::ranges::none_of(names, [](bool named) { return named; })) {
        build.errors.add(rule.place,
                         in_rule(rule, "has no condition: name at least one of user, group, exe, unit and cgroup"));
    }
}

void compile_rule(const Rule& rule, std::size_t index, Build& build)
{
    auto& head = build.out.head;
    build.out.rule_names.push_back(rule.name);
    if (rule.action == config::Action::Allow) {
        add_rule(head.allow, index);
    }
    if (rule.scope != config::Scope::Container) {
        add_rule(head.scope[0], index);
    }
    if (rule.scope != config::Scope::Host) {
        add_rule(head.scope[1], index);
    }
    compile_any(rule, index, build);
    compile_accounts(rule, index, kUser, rule.users, build);
    compile_accounts(rule, index, kGroup, rule.groups, build);
    compile_exes(rule, index, build);
    compile_cgroups(rule, index, build.out, build.errors, build.warnings);
    if (!build.absent.empty()) {
        build.notes.add(rule.place, in_rule(rule, "matches nothing here: " + build.absent));
        build.absent.clear();
    }
}

void compile_rules(Build& build)
{
    const auto& rules = build.config.rules;
    const std::size_t count = std::min<std::size_t>(rules.size(), HW_RULES_MAX);
    for (std::size_t i = 0; i < count; ++i) {
        compile_rule(rules[i], i, build);
    }
    if (rules.size() > count) {
        build.errors.add(rules[count].place, "more rules than the " + std::to_string(HW_RULES_MAX) +
                                                 " allowed: there are " + std::to_string(rules.size()));
    }
    build.out.head.rule_count = static_cast<std::uint32_t>(count);
}

void compile_switches(Build& build)
{
    auto& head = build.out.head;
    head.mode = build.config.mode == config::Mode::Audit ? HW_AUDIT : HW_ENFORCE;
    head.flags |= build.config.forwarded == config::Action::Allow ? std::uint32_t{HW_HEAD_FORWARDED_ALLOW} : 0U;
    head.flags |= build.config.bypass_sockets == config::Action::Allow ? std::uint32_t{HW_HEAD_BYPASS_ALLOW} : 0U;
}

} // namespace

bool KeyLess::operator()(const hw_fact_key& a, const hw_fact_key& b) const
{
    return std::memcmp(&a, &b, sizeof(a)) < 0;
}
bool KeyLess::operator()(const hw_name_key& a, const hw_name_key& b) const
{
    return std::memcmp(&a, &b, sizeof(a)) < 0;
}

hw_fact_key fact_key(hw_fact_kind kind, std::uint64_t a, std::uint64_t b)
{
    hw_fact_key key = {};
    key.kind = kind;
    key.a = a;
    key.b = b;
    return key;
}

Result<CompiledPolicy> compile(const config::GuardConfig& config, Resolver& resolver)
{
    Build build{config, resolver, {}, {}, {}, {}, {}, {}, {}, {}};
    check_names(build);
    compile_switches(build);
    compile_endpoints(config, build.out, build.errors, build.notes);
    compile_rules(build);
    if (!build.errors.empty()) {
        return build.errors.error();
    }
    compile_digests(config, build.out);
    build.out.warnings = build.warnings.lines();
    build.out.notes = build.notes.lines();
    return std::move(build.out);
}

std::string notes_summary(const std::vector<std::string>& notes)
{
    return notes.empty() ? ""
                         : "rules of presets that match nothing on this host now: " + std::to_string(notes.size()) +
                               "; hostward config check names them";
}

} // namespace hostward::guard
