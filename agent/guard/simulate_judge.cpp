// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/simulate_judge.h"

#include "agent/base/text.h"
#include "agent/guard/reasons.h"

#include <algorithm>
#include <utility>

namespace hostward::guard {

namespace {

constexpr std::size_t kAnswersMax = 65536;   ///< remembered; then from the beginning
constexpr std::size_t kCandidatesMax = 8192; ///< values of unknown facts tried for one caller

Judgement untold(std::string why) { return {std::nullopt, {}, std::move(why), false}; }

Judgement told(bool allowed, Cause cause) { return {allowed, std::move(cause), "", false}; }

/// Rules may differ and the verdict be the same.
void agree(Cause& cause, const Cause& other)
{
    cause.rule = cause.rule == other.rule ? cause.rule : "";
    cause.reason = cause.reason == other.reason ? cause.reason : "";
    if (cause.rule.empty() && cause.reason == "rule") {
        cause.reason.clear();
    }
}

} // namespace

Judge::Judge(const config::GuardConfig& config, CompiledPolicy policy, Resolver& resolver, Simulator::GroupsOf groups)
    : policy_(std::move(policy)), seals_(config.seal_until_reboot), resolver_(resolver), exes_(resolver),
      groups_of_(std::move(groups)), any_program_{std::nullopt}, any_groups_{{}}
{
    for (const auto& rule : config.rules) {
        remember_names(rule);
    }
    for (const auto& [key, fact] : policy_.facts) {
        if (key.kind == HW_FACT_EXE) {
            any_program_.emplace_back(ExeFact{key.a, static_cast<std::uint32_t>(key.b >> 32),
                                              static_cast<std::uint32_t>(key.b & 0xffffffff)});
        } else if (key.kind == HW_FACT_GROUP) {
            any_groups_.push_back({static_cast<std::uint32_t>(key.a)});
        }
    }
}

void Judge::remember_names(const config::Rule& rule)
{
    for (const auto& exe : rule.exes) {
        named_exes_.insert(exe.value);
    }
    for (const auto& name : rule.users) {
        if (parse_number<std::uint32_t>(name.value)) {
            continue;
        }
        named_users_.insert(name.value);
        if (const auto uid = user(name.value)) {
            named_uids_.insert(*uid);
        }
    }
}

Judgement Judge::ask(const EventRecord& event)
{
    const auto number = reason_number(event.reason);
    if (!number) {
        return untold(event.reason.empty() ? "why it was decided is not recorded"
                                           : "reason " + quote(event.reason) + " is not known to this version");
    }
    switch (static_cast<hw_reason>(*number)) {
    case HW_REASON_RULE:
    case HW_REASON_DEFAULT:
    case HW_REASON_KERNEL_THREAD:
    case HW_REASON_GROUPS_OVERFLOW:
    case HW_REASON_CGROUP_DEPTH:
    case HW_REASON_FD_RECEIVED: return by_rules(event);
    case HW_REASON_FORWARDED: return by_setting(event, (policy_.head.flags & HW_HEAD_FORWARDED_ALLOW) != 0);
    case HW_REASON_BYPASS_SOCKET: return by_setting(event, (policy_.head.flags & HW_HEAD_BYPASS_ALLOW) != 0);
    case HW_REASON_UNREADABLE:
    case HW_REASON_SCRATCH_FULL:
    case HW_REASON_TAG_FULL:
    case HW_REASON_UNTAGGED:
    case HW_REASON_SOURCE_ROUTE:
    case HW_REASON_MALFORMED:
    case HW_REASON_NO_SOCKET:
    case HW_REASON_PACKET_SOCKET: return still_denied(event);
    case HW_REASON_SEALED:
        return seals_ ? still_denied(event)
                      : untold("a guard that is sealed stays so until reboot, whatever the policy");
    case HW_REASON_STALE: return untold("which rule of an earlier policy had allowed the connection is not recorded");
    case HW_REASON_PTRACE: return untold("which process was to be traced is not recorded");
    case HW_REASON_NO_POLICY:
    case HW_REASON_COUNT: break;
    }
    return untold("no policy was loaded");
}

/// What no rule decides and no policy allows.
Judgement Judge::still_denied(const EventRecord& event) const
{
    if (event.outcome == Outcome::Allow) {
        return untold("its record contradicts itself");
    }
    return endpoint_of(event) ? told(false, {event.reason, ""}) : untold(no_endpoint(event));
}

Judgement Judge::by_setting(const EventRecord& event, bool allows) const
{
    Judgement out = still_denied(event);
    if (out.allowed) {
        out.allowed = allows;
    }
    return out;
}

std::optional<std::uint32_t> Judge::endpoint_of(const EventRecord& event) const
{
    const auto found = std::ranges::find(policy_.endpoint_names, event.endpoint);
    return found == policy_.endpoint_names.end()
               ? std::nullopt
               : std::optional(static_cast<std::uint32_t>(found - policy_.endpoint_names.begin()));
}

std::string Judge::no_endpoint(const EventRecord& event) const
{
    return event.endpoint.empty() ? "which endpoint was asked for is not recorded"
                                  : "the policy has no endpoint " + quote(event.endpoint) +
                                        ", and which address was asked for is not recorded";
}

/// The first fact that the policy asks for and the record lacks, as a clause; empty: none.
std::string Judge::missing(const EventRecord& event) const
{
    if (!event.uid || !event.euid) {
        return "it is not known who asked";
    }
    if (!event.container_known) {
        return "whether it was in a container is not recorded";
    }
    if (asks_cgroups() && !event.cgroup.starts_with('/')) {
        return event.cgroup.empty() ? "its cgroup is not recorded" : "its cgroup is nested too deep to be known";
    }
    if (asks_groups() && !event.gid) {
        return "its group is not recorded";
    }
    return "";
}

std::optional<std::uint32_t> Judge::user(const std::string& name)
{
    const auto known = users_.find(name);
    return known != users_.end() ? known->second : users_.emplace(name, resolver_.user(name)).first->second;
}

/// What a rule names is something else on this host than where the event is from, as a clause; empty: nothing is.
std::string Judge::differs_here(const EventRecord& event)
{
    const bool is_named = named_users_.contains(event.user) || named_uids_.contains(*event.uid);
    if (is_named && !event.user.empty() && user(event.user) != event.uid) {
        return "user " + quote(event.user) + " does not have the number " + std::to_string(*event.uid) +
               " on this host";
    }
    const bool may_match = !event.container && !(event.exe_trust_known && event.exe_untrusted);
    if (!may_match || !named_exes_.contains(event.exe)) {
        return "";
    }
    const auto& info = exes_.look_up(event.exe);
    return info && info->fact ? "" : "its program, which a rule names, cannot be found on this host";
}

/// What was beyond a bound then is beyond it for every policy that looks there.
bool Judge::is_out_of_bounds(const EventRecord& event) const
{
    return (event.reason == "groups_overflow" && asks_groups()) || (event.reason == "cgroup_depth" && asks_cgroups());
}

Judgement Judge::by_rules(const EventRecord& event)
{
    const auto endpoint = endpoint_of(event);
    if (!endpoint) {
        return untold(no_endpoint(event));
    }
    const bool is_refused_unasked = event.reason == "kernel_thread" || is_out_of_bounds(event);
    if (is_refused_unasked) {
        return still_denied(event);
    }
    if (std::string why = missing(event); !why.empty()) {
        return untold(std::move(why));
    }
    if (std::string why = differs_here(event); !why.empty()) {
        return untold(std::move(why));
    }
    Question question{caller_of(event, {}), program_of(event), *endpoint};
    question.caller.exe = question.program.fact;
    if (!event.cgroup.starts_with('/')) {
        question.caller.cgroup_path.clear(); // nothing asks for it
    }
    const Key key = key_of(question);
    if (const auto known = answered_.find(key); known != answered_.end()) {
        return known->second;
    }
    if (answered_.size() == kAnswersMax) {
        answered_.clear();
    }
    return answered_.emplace(key, answer(question)).first->second;
}

/// Rules name paths, so on the host it is the file at that path which counts, as it does for the rule.
Judge::Program Judge::program_of(const EventRecord& event)
{
    if (!event.exe_trust_known) {
        return {false, std::nullopt,
                event.exe_fact ? "whether its program can be trusted is not recorded" : "its program is not recorded"};
    }
    if (event.exe_untrusted) {
        return {true, std::nullopt, ""};
    }
    if (!event.exe_fact) {
        return {false, std::nullopt, "its program is not recorded"};
    }
    if (event.container) {
        return {true, event.exe_fact, ""};
    }
    if (!is_plain_path(event.exe)) {
        return {false, std::nullopt, "the path of its program is not known"};
    }
    const auto& info = exes_.look_up(event.exe);
    if (!info || !info->fact) {
        return {false, std::nullopt,
                std::string("its program ") + (info ? "is not on this host any more" : "cannot be looked at")};
    }
    return {true, info->fact, ""};
}

Judgement Judge::answer(const Question& question)
{
    Judgement out = decide_all(question, any_groups_);
    if (out.allowed || !asks_groups()) {
        return out;
    }
    if (question.caller.container) {
        return question.program.known ? untold("the policy asks for supplementary groups, and those in a container are "
                                               "not known")
                                      : out;
    }
    out = decide_all(question, {account_groups(question.caller.uid)});
    out.by_groups = out.allowed.has_value();
    return out;
}

/// The decision, if it is the same for each of `groups` and for every program where that is not known. To try one
/// group at a time is enough: of several, the one by which the first rule matches.
Judgement Judge::decide_all(const Question& question, const std::vector<Groups>& groups) const
{
    const std::vector<std::optional<ExeFact>> known{question.program.fact};
    const auto& programs = question.program.known ? known : any_program_;
    Judgement out = untold(question.program.known ? "it hangs on groups" : question.program.why);
    if (programs.size() * groups.size() > kCandidatesMax) {
        return out;
    }
    Judgement same;
    Caller caller = question.caller;
    for (const auto& program : programs) {
        for (const auto& some : groups) {
            caller.exe = program;
            caller.groups = some;
            const Decision decision = decide(policy_, caller, question.endpoint);
            const bool allowed = decision.verdict == HW_ALLOW;
            if (same.allowed && *same.allowed != allowed) {
                return out;
            }
            if (same.allowed) {
                agree(same.cause, cause_of(decision));
            } else {
                same = told(allowed, cause_of(decision));
            }
        }
    }
    return same;
}

Cause Judge::cause_of(const Decision& decision) const
{
    return {std::string(reason_wording(decision.reason).name),
            decision.rule == HW_NO_RULE ? "" : policy_.rule_names[decision.rule]};
}

const Judge::Groups& Judge::account_groups(std::uint32_t uid)
{
    const auto known = account_groups_.find(uid);
    return known != account_groups_.end() ? known->second : account_groups_.emplace(uid, groups_of_(uid)).first->second;
}

Judge::Key Judge::key_of(const Question& question)
{
    const Caller& caller = question.caller;
    const ExeFact exe = question.program.fact.value_or(ExeFact{});
    return {caller.uid,           caller.euid,       caller.gid,
            caller.cgroup_path,   caller.container,  question.program.fact.has_value(),
            question.program.why, question.endpoint, {exe.inode, exe.device, exe.generation}};
}

} // namespace hostward::guard
