// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/audit_match.h"

#include <linux/audit.h>

#include <algorithm>

namespace hostward::hardening {

namespace {

struct Interval {
    std::int64_t first;
    std::int64_t last;
};

AuditMatch part(bool all, bool none) { return all ? AuditMatch::All : none ? AuditMatch::None : AuditMatch::Some; }

AuditMatch negated(AuditMatch match)
{
    switch (match) {
    case AuditMatch::None: return AuditMatch::All;
    case AuditMatch::All: return AuditMatch::None;
    case AuditMatch::Some: break;
    }
    return AuditMatch::Some;
}

/// Which values of the interval fulfil the condition.
AuditMatch compare(const Interval& values, std::uint32_t op, std::int64_t with)
{
    switch (op) {
    case AUDIT_EQUAL:
        return part(values.first == with && values.last == with, with < values.first || with > values.last);
    case AUDIT_NOT_EQUAL: return negated(compare(values, AUDIT_EQUAL, with));
    case AUDIT_GREATER_THAN_OR_EQUAL: return part(values.first >= with, values.last < with);
    case AUDIT_LESS_THAN: return negated(compare(values, AUDIT_GREATER_THAN_OR_EQUAL, with));
    case AUDIT_GREATER_THAN: return part(values.first > with, values.last <= with);
    case AUDIT_LESS_THAN_OR_EQUAL: return negated(compare(values, AUDIT_GREATER_THAN, with));
    default: return AuditMatch::Some;
    }
}

Interval login_ids(const AuditDemand& demand)
{
    constexpr std::int64_t kUnset = UINT32_MAX;
    switch (demand.users) {
    case AuditUsers::Everybody: break;
    case AuditUsers::LoggedIn: return {0, kUnset - 1};
    case AuditUsers::People: return {demand.first_person, kUnset - 1};
    }
    return {0, kUnset};
}

bool is_below(const std::string& path, const std::string& folder)
{
    return folder == "/" || path == folder ||
           (path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/');
}

AuditMatch match_watch(const AuditField& field, const AuditDemand& demand, PathNames& names)
{
    const std::string wanted = names.of(demand.path);
    const std::string watched = names.of(field.text);
    if (watched == wanted) {
        return demand.is_directory ? AuditMatch::Some : AuditMatch::All;
    }
    return demand.is_directory && is_below(watched, wanted) ? AuditMatch::Some : AuditMatch::None;
}

AuditMatch match_tree(const AuditField& field, const AuditDemand& demand, PathNames& names)
{
    const std::string tree = names.followed(field.text);
    const std::string wanted = demand.is_directory ? names.followed(demand.path) : names.of(demand.path);
    if (is_below(wanted, tree)) {
        return AuditMatch::All;
    }
    return demand.is_directory && is_below(tree, wanted) ? AuditMatch::Some : AuditMatch::None;
}

AuditMatch match_permissions(const AuditField& field, const AuditDemand& demand)
{
    return part((field.value & demand.permissions) == demand.permissions, (field.value & demand.permissions) == 0);
}

AuditMatch match_comparison(const AuditField& field, const AuditDemand& demand)
{
    if (!demand.as_other_user || field.value != AUDIT_COMPARE_UID_TO_EUID) {
        return AuditMatch::Some;
    }
    return field.op == AUDIT_NOT_EQUAL ? AuditMatch::All : AuditMatch::None;
}

/// How a call ended: what a demand says of it, else anything.
AuditMatch match_end(const AuditField& field, const AuditDemand& demand)
{
    const Interval ends = demand.exit ? Interval{*demand.exit, *demand.exit} : Interval{INT32_MIN, INT32_MAX};
    if (field.field == AUDIT_EXIT) {
        return compare(ends, field.op, static_cast<std::int32_t>(field.value));
    }
    const Interval successes = demand.exit ? Interval{0, 0} : Interval{0, 1};
    return compare(successes, field.op, field.value != 0 ? 1 : 0);
}

AuditMatch match_path_field(const AuditField& field, const AuditDemand& demand, PathNames& names)
{
    if (demand.path.empty()) {
        return AuditMatch::Some; // calls on this file are some of the calls
    }
    switch (field.field) {
    case AUDIT_PERM: return match_permissions(field, demand);
    case AUDIT_WATCH: return match_watch(field, demand, names);
    default: return match_tree(field, demand, names);
    }
}

AuditMatch match_argument(const AuditField& field, const AuditDemand& demand)
{
    const auto argument = demand.first_argument;
    return argument ? compare({*argument, *argument}, field.op, field.value) : AuditMatch::Some;
}

AuditMatch match_field(const AuditField& field, const AuditEvents& events, PathNames& names)
{
    switch (field.field) {
    case AUDIT_FILTERKEY: return AuditMatch::All;
    case AUDIT_ARCH:
        return part((field.value == events.arch) == (field.op == AUDIT_EQUAL),
                    (field.value == events.arch) != (field.op == AUDIT_EQUAL));
    case AUDIT_LOGINUID: return compare(login_ids(events.demand), field.op, field.value);
    case AUDIT_PID:
    case AUDIT_PPID:
    case AUDIT_SESSIONID:
    case AUDIT_UID:
    case AUDIT_EUID:
    case AUDIT_SUID:
    case AUDIT_FSUID:
    case AUDIT_GID:
    case AUDIT_EGID:
    case AUDIT_SGID:
    case AUDIT_FSGID: return compare({0, UINT32_MAX}, field.op, field.value);
    case AUDIT_EXIT:
    case AUDIT_SUCCESS: return match_end(field, events.demand);
    case AUDIT_FIELD_COMPARE: return match_comparison(field, events.demand);
    case AUDIT_ARG0: return match_argument(field, events.demand);
    case AUDIT_PERM:
    case AUDIT_WATCH:
    case AUDIT_DIR: return match_path_field(field, events.demand, names);
    default: return AuditMatch::Some;
    }
}

AuditMatch match_syscall(const AuditRule& rule, const AuditEvents& events)
{
    if (events.syscall) {
        return rule.syscalls.test(*events.syscall) ? AuditMatch::All : AuditMatch::None;
    }
    return part(rule.syscalls.all(), rule.syscalls.none());
}

} // namespace

AuditMatch audit_match(const AuditRule& rule, const AuditEvents& events, PathNames& names)
{
    AuditMatch match = match_syscall(rule, events);
    for (const auto& field : rule.fields) {
        if (match == AuditMatch::None) {
            break;
        }
        match = std::min(match, match_field(field, events, names));
    }
    return match;
}

} // namespace hostward::hardening
