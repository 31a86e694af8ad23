// SPDX-License-Identifier: Apache-2.0
// What a policy says that its author may not have meant.
#include "agent/base/text.h"
#include "agent/guard/diagnose_checks.h"

#include <algorithm>
#include <array>
#include <functional>

namespace hostward::guard {

namespace {

using config::Action;
using config::At;
using config::Rule;

constexpr std::uint64_t kDay = 86'400; // seconds
constexpr std::uint64_t kAuditDaysMax = 14;

// Units whose processes every user starts.
constexpr std::array kUserUnits{"user@1000.service", "session-1.scope"};

bool is_root_name(const At<std::string>& user) { return user.value == "root" || user.value == "0"; }

std::string name_of(const Rule& rule) { return "rule " + quote(rule.name) + " (" + escape(rule.place.text()) + ")"; }

/// Whether `pattern` with at most one `*` matches `text`. A `*` in `text` stands for itself, so a pattern that
/// matches another pattern matches whatever that one does.
bool glob_matches(std::string_view pattern, std::string_view text)
{
    const auto star = pattern.find('*');
    if (star == std::string_view::npos) {
        return pattern == text;
    }
    const auto prefix = pattern.substr(0, star);
    const auto suffix = pattern.substr(star + 1);
    return text.size() >= prefix.size() + suffix.size() && text.starts_with(prefix) && text.ends_with(suffix);
}

/// One line for each rule that `judge` has something to say about.
Lines complaints(const config::GuardConfig& config, const std::function<std::string(const Rule&)>& judge)
{
    Lines lines;
    for (const auto& rule : config.rules) {
        if (const std::string line = judge(rule); !line.empty()) {
            lines.push_back(name_of(rule) + ": " + line);
        }
    }
    return lines;
}

Answer no_policy(const DoctorFacts& facts)
{
    return unknown("what the policy says", facts.policy.config.error().text, facts.kernel);
}

struct Smell {
    Severity severity;
    const char* good;
    const char* bad;
    const char* remedy;
};

Answer smell(const DoctorFacts& facts, const Smell& words, const std::function<std::string(const Rule&)>& judge)
{
    const auto* config = policy_of(facts);
    if (config == nullptr) {
        return no_policy(facts);
    }
    Lines lines = complaints(*config, judge);
    if (lines.empty()) {
        return {Severity::Ok, words.good, {}, {}, {}};
    }
    return {words.severity, words.bad, std::move(lines), {words.remedy}, {}};
}

/// The first program that a rule names and nobody could look at; empty: all were looked at.
std::string unseen_exe(const DoctorFacts& facts)
{
    for (const auto& [path, info] : facts.policy.exes) {
        if (!info) {
            return quote(path) + ": " + info.error().text;
        }
    }
    return "";
}

/// A good answer that rests on something nobody could look at is none.
Answer unless_unseen(const Answer& answer, const std::string& unseen, const DoctorFacts& facts)
{
    return answer.severity == Severity::Ok && !unseen.empty() ? unknown("whether " + answer.title, unseen, facts.kernel)
                                                              : answer;
}

const ExeInfo* exe_info(const DoctorFacts& facts, const std::string& path)
{
    const auto found = facts.policy.exes.find(path);
    return found == facts.policy.exes.end() || !found->second ? nullptr : &*found->second;
}

bool is_number(const std::string& text)
{
    return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

/// The values of one condition that mean nothing on this host.
Lines absent_accounts(const std::vector<At<std::string>>& names, const Result<std::set<std::string>>& known)
{
    Lines absent;
    for (const auto& name : names) {
        if (known && !is_number(name.value) && !known->contains(name.value)) {
            absent.push_back(name.value);
        }
    }
    return absent;
}

Lines absent_units(const std::vector<At<std::string>>& patterns, const Result<std::vector<std::string>>& known)
{
    Lines absent;
    for (const auto& pattern : patterns) {
        // An instance stands for its template: getty@tty1.service is getty@.service on disk.
        const auto at_sign = pattern.value.find('@');
        const auto dot = pattern.value.rfind('.');
        const std::string of_template = at_sign != std::string::npos && dot != std::string::npos && at_sign < dot
                                            ? pattern.value.substr(0, at_sign + 1) + pattern.value.substr(dot)
                                            : pattern.value;
        // Other kinds come and go without a file.
        const bool has_file = pattern.value.ends_with(".service") || pattern.value.ends_with(".socket");
        const bool found = !known || !has_file || std::ranges::any_of(*known, [&](const std::string& unit) {
            return glob_matches(pattern.value, unit) || unit == of_template;
        });
        if (!found) {
            absent.push_back(pattern.value);
        }
    }
    return absent;
}

Lines absent_exes(const DoctorFacts& facts, const Rule& rule)
{
    Lines absent;
    for (const auto& path : rule.exes) {
        const auto* info = exe_info(facts, path.value);
        if (info != nullptr && !info->fact) {
            absent.push_back(path.value);
        }
    }
    return absent;
}

/// "user x, y": a condition of which no value exists here, so that the rule matches nobody.
std::string dead_condition(const DoctorFacts& facts, const Rule& rule)
{
    if (!rule.preset.empty()) {
        return ""; // presets are for many hosts: `config check` lists what they name in vain
    }
    const auto& policy = facts.policy;
    struct Condition {
        const char* name;
        std::size_t values;
        Lines absent;
    };
    const std::array conditions{
        Condition{"user", rule.users.size(), absent_accounts(rule.users, policy.users)},
        Condition{"group", rule.groups.size(), absent_accounts(rule.groups, policy.groups)},
        Condition{"exe", rule.exes.size(), absent_exes(facts, rule)},
        // A cgroup beside the unit may match where the unit does not.
        Condition{"unit", rule.units.size() + rule.cgroups.size(), absent_units(rule.units, policy.units)},
    };
    for (const auto& condition : conditions) {
        if (condition.values > 0 && condition.absent.size() == condition.values) {
            return std::string(condition.name) + " " + escape(joined(condition.absent)) + " is not on this host";
        }
    }
    return "";
}

/// Whether every value of `later` is matched by some value of `earlier`; a rule without values matches all.
bool covers(const std::vector<At<std::string>>& earlier, const std::vector<At<std::string>>& later, bool with_globs)
{
    if (earlier.empty()) {
        return true;
    }
    return !later.empty() && std::ranges::all_of(later, [&](const At<std::string>& value) {
        return std::ranges::any_of(earlier, [&](const At<std::string>& wider) {
            return with_globs ? glob_matches(wider.value, value.value) : wider.value == value.value;
        });
    });
}

bool covers_cgroups(const Rule& earlier, const Rule& later)
{
    if (earlier.units.empty() && earlier.cgroups.empty()) {
        return true; // it names neither
    }
    const bool names = !later.units.empty() || !later.cgroups.empty();
    const bool units = later.units.empty() || (!earlier.units.empty() && covers(earlier.units, later.units, true));
    const bool paths =
        later.cgroups.empty() || (!earlier.cgroups.empty() && covers(earlier.cgroups, later.cgroups, false));
    return names && units && paths;
}

bool covers(const Rule& earlier, const Rule& later)
{
    const bool scope = earlier.scope == config::Scope::Any || earlier.scope == later.scope;
    return scope && covers(earlier.endpoints, later.endpoints, false) && covers(earlier.users, later.users, false) &&
           covers(earlier.groups, later.groups, false) && covers(earlier.exes, later.exes, false) &&
           covers_cgroups(earlier, later);
}

/// Says of a switch of the policy that it is on.
Answer switched(const DoctorFacts& facts, const std::function<bool(const config::GuardConfig&)>& is_on, Answer on,
                const char* off)
{
    const auto* config = policy_of(facts);
    if (config == nullptr) {
        return no_policy(facts);
    }
    return is_on(*config) ? std::move(on) : Answer{Severity::Ok, off, {}, {}, {}};
}

} // namespace

Answer check_policy_file(const DoctorFacts& facts)
{
    const auto& policy = facts.policy;
    if (policy.compiled) {
        return {Severity::Ok, "the policy file is valid", {quote(policy.path)}, {}, {}};
    }
    const Error& problem = policy.config ? policy.compiled.error() : policy.config.error();
    const bool is_wrong = problem.kind == ErrorKind::Invalid || problem.kind == ErrorKind::Exhausted ||
                          (!policy.config && problem.kind == ErrorKind::NotFound);
    if (!is_wrong) {
        return unknown("whether the policy file is valid", problem.text, facts.kernel);
    }
    return {Severity::Error,
            "the policy file cannot be used",
            {problem.text},
            {"hostward config check --config " + escape(policy.path) + " names every error with its line"},
            {}};
}

Answer check_audit_mode(const DoctorFacts& facts)
{
    const auto* status = loaded_status(facts);
    const auto* config = policy_of(facts);
    if (config == nullptr && status == nullptr) {
        return no_policy(facts);
    }
    const bool in_force = status != nullptr && status->audit;
    const bool on_disk = config != nullptr && config->mode == config::Mode::Audit;
    if (!in_force && !on_disk) {
        return {Severity::Ok, "the mode is enforce", {}, {}, {}};
    }
    const auto& age = facts.policy.age_s;
    const bool is_long = age && *age > kAuditDaysMax * kDay;
    const std::string since = age ? "the policy file changed " + std::to_string(*age / kDay) + " days ago"
                                  : "how long is unknown: " + age.error().text;
    return {is_long ? Severity::Warning : Severity::Info,
            is_long ? "audit mode has been on for long: nothing is refused" : "audit mode: nothing is refused",
            {in_force ? "in force" : "on disk, not in force", since},
            {"look at hostward guard events for what would be refused, then set mode = \"enforce\""},
            {}};
}

Answer check_default_allow(const DoctorFacts& facts)
{
    const auto* config = policy_of(facts);
    if (config == nullptr) {
        return no_policy(facts);
    }
    Lines open;
    for (const auto& endpoint : config->endpoints) {
        if (endpoint.default_action == Action::Allow) {
            open.push_back("endpoint " + quote(endpoint.name) + " (" + escape(endpoint.place.text()) + ")");
        }
    }
    if (open.empty()) {
        return {Severity::Ok, "who matches no rule is refused", {}, {}, {}};
    }
    return {Severity::Warning, "who matches no rule is allowed", open, {"set default = \"deny\""}, {}};
}

Answer check_forwarded_allow(const DoctorFacts& facts)
{
    return switched(
        facts, [](const auto& config) { return config.forwarded == Action::Allow; },
        {Severity::Warning,
         "traffic routed through this host passes: containers and virtual machines that are routed reach the service",
         {"forwarded = \"allow\""},
         {"set forwarded = \"deny\" unless routed workloads need the service"},
         {"forwarded"}},
        "traffic routed through this host is refused");
}

Answer check_bypass_sockets_allow(const DoctorFacts& facts)
{
    return switched(
        facts, [](const auto& config) { return config.bypass_sockets == Action::Allow; },
        {Severity::Warning,
         "sockets that bypass the packet checks are left alone",
         {"bypass_sockets = \"allow\""},
         {"set bypass_sockets = \"deny\" unless AF_XDP programs run here"},
         {"packet-qdisc-bypass", "af-xdp"}},
        "sockets that bypass the packet checks are refused, where the LSM layer works");
}

Answer check_seal(const DoctorFacts& facts)
{
    return switched(
        facts, [](const auto& config) { return !config.seal_until_reboot; },
        {Severity::Info,
         "the guard is not sealed: root can take it down",
         {"seal = \"off\""},
         {"set seal = \"until-reboot\" once the policy is settled and layer-seal is ok"},
         rows_of("seal")},
        "the policy seals the guard until the next boot");
}

Answer check_rule_root_only(const DoctorFacts& facts)
{
    return smell(facts,
                 {Severity::Warning, "no rule allows all of root", "a rule allows every process of root",
                  "add unit, or exe, to say which of root's programs"},
                 [](const Rule& rule) -> std::string {
                     const bool only_user =
                         rule.groups.empty() && rule.exes.empty() && rule.units.empty() && rule.cgroups.empty();
                     const bool is_root = std::ranges::any_of(rule.users, is_root_name);
                     return rule.action == Action::Allow && only_user && is_root ? "user root is its only condition"
                                                                                 : "";
                 });
}

Answer check_rule_interpreter(const DoctorFacts& facts)
{
    Answer answer =
        smell(facts,
              {Severity::Warning, "no rule relies on an interpreter",
               "a rule relies on an interpreter: it matches every script", "name the unit that runs the script"},
              [&](const Rule& rule) -> std::string {
                  if (rule.action != Action::Allow || !rule.units.empty() || !rule.cgroups.empty()) {
                      return "";
                  }
                  for (const auto& path : rule.exes) {
                      const auto* info = exe_info(facts, path.value);
                      if (info != nullptr && info->interpreter) {
                          return "exe " + quote(path.value) + " runs whatever its caller hands it";
                      }
                  }
                  return "";
              });
    return unless_unseen(answer, unseen_exe(facts), facts);
}

Answer check_rule_writable_exe(const DoctorFacts& facts)
{
    Answer answer = smell(facts,
                          {Severity::Error, "only root can replace the programs that rules name",
                           "a rule names a program that others than root can replace",
                           "make the program and its folders root's alone"},
                          [&](const Rule& rule) -> std::string {
                              for (const auto& path : rule.exes) {
                                  const auto* info = exe_info(facts, path.value);
                                  // A preset's program that is not here is refused when it comes and is no better.
                                  const bool counts = info != nullptr && (rule.preset.empty() || info->fact);
                                  if (counts && !info->writable_by.empty()) {
                                      return "exe " + quote(path.value) + ": " + info->writable_by;
                                  }
                              }
                              return "";
                          });
    return unless_unseen(answer, unseen_exe(facts), facts);
}

Answer check_rule_user_manager(const DoctorFacts& facts)
{
    return smell(facts,
                 {Severity::Warning, "no rule allows the sessions of every user",
                  "a unit pattern matches what every user's own processes run in",
                  "name the unit, or a pattern without user units"},
                 [](const Rule& rule) -> std::string {
                     const bool narrowed = !rule.users.empty() || !rule.groups.empty() || !rule.exes.empty();
                     if (rule.action != Action::Allow || narrowed) {
                         return "";
                     }
                     for (const auto& pattern : rule.units) {
                         for (const auto* unit : kUserUnits) {
                             if (glob_matches(pattern.value, unit)) {
                                 return "unit " + quote(pattern.value) + " matches " + unit;
                             }
                         }
                     }
                     return "";
                 });
}

Answer check_rule_containers(const DoctorFacts& facts)
{
    return smell(facts,
                 {Severity::Warning, "no rule allows containers by user number alone",
                  "a rule allows containers by user or group alone, which every container chooses itself",
                  "name the container's unit or cgroup"},
                 [](const Rule& rule) -> std::string {
                     const bool placed = !rule.units.empty() || !rule.cgroups.empty() || !rule.exes.empty();
                     return rule.action == Action::Allow && rule.scope != config::Scope::Host && !placed
                                ? "scope includes containers"
                                : "";
                 });
}

Answer check_rule_matches_nothing(const DoctorFacts& facts)
{
    Answer answer = smell(facts,
                          {Severity::Info, "every rule can match on this host", "rules name what is not on this host",
                           "nothing, if the rule is for another host; else correct the name"},
                          [&](const Rule& rule) { return dead_condition(facts, rule); });
    const auto* config = policy_of(facts);
    const bool deny = config != nullptr && std::ranges::any_of(config->rules, [&](const Rule& rule) {
                          return rule.action == Action::Deny && !dead_condition(facts, rule).empty();
                      });
    if (deny) {
        answer.severity = Severity::Warning; // somebody is not refused who should be
    }
    std::string unseen = unseen_exe(facts);
    const auto& policy = facts.policy;
    if (!policy.users || !policy.groups) {
        unseen = (policy.users ? policy.groups : policy.users).error().text;
    } else if (!policy.units) {
        unseen = policy.units.error().text;
    }
    return unless_unseen(answer, unseen, facts);
}

Answer check_rule_shadowed(const DoctorFacts& facts)
{
    const auto* config = policy_of(facts);
    return smell(facts,
                 {Severity::Warning, "no rule is hidden by an earlier one",
                  "a rule never decides: an earlier one matches first", "move the narrower rule up, or remove it"},
                 [&](const Rule& rule) -> std::string {
                     for (const auto& earlier : config->rules) {
                         if (&earlier == &rule) {
                             break;
                         }
                         if (covers(earlier, rule)) {
                             return "covered by rule " + quote(earlier.name) +
                                    (earlier.action == rule.action ? "" : ", which decides the opposite");
                         }
                     }
                     return "";
                 });
}

} // namespace hostward::guard
