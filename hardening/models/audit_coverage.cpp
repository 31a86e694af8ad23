// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/audit_coverage.h"

#include "hardening/models/audit_match.h"
#include "hardening/models/audit_names.h"

#include <linux/audit.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

namespace hostward::hardening {

namespace {

/// A rule that keeps processes out of audit altogether, or drops the records themselves.
const AuditRule* silencer(const std::vector<AuditRule>& rules)
{
    for (const auto& rule : rules) {
        if (rule.list == AUDIT_FILTER_TASK) {
            if (rule.action == AUDIT_NEVER) {
                return &rule;
            }
            break; // the first rule of the list decides, and this one lets processes in
        }
    }
    for (const auto& rule : rules) {
        const auto* type = rule.find(AUDIT_MSGTYPE);
        const bool is_of_others = type != nullptr && type->op == AUDIT_EQUAL && type->value != AUDIT_SYSCALL;
        const bool is_all_but = type != nullptr && type->op == AUDIT_NOT_EQUAL && type->value == AUDIT_SYSCALL;
        if (rule.list == AUDIT_FILTER_EXCLUDE && !is_of_others && !is_all_but) {
            return &rule;
        }
    }
    return nullptr;
}

/// The rule that decides about events; null: none.
const AuditRule* deciding(const std::vector<AuditRule>& rules, const AuditEvents& events, PathNames& names)
{
    for (const auto& rule : rules) {
        if (rule.list != AUDIT_FILTER_EXIT) {
            continue;
        }
        const auto match = audit_match(rule, events, names);
        if (match == AuditMatch::All || (match == AuditMatch::Some && rule.action == AUDIT_NEVER)) {
            return &rule;
        }
    }
    return nullptr;
}

bool is_same_place(const Origin& one, const Origin& other) { return one.text() == other.text(); }

/// What rules say of one architecture. `name`: the system call, or the path.
void take(const std::string& name, const AuditRule* rule, AuditCoverage& out)
{
    if (rule != nullptr && rule->action == AUDIT_ALWAYS) {
        if (std::ranges::none_of(out.by, [&](const Origin& one) { return is_same_place(one, rule->where); })) {
            out.by.push_back(rule->where);
        }
        return;
    }
    const std::string why = rule == nullptr ? "no rule records it" : "taken out before by " + audit_rule_text(*rule);
    const auto known = std::ranges::find(out.gaps, why, &AuditGap::why);
    if (known != out.gaps.end()) {
        known->what += known->what == name ? "" : ", " + name;
    } else {
        out.gaps.push_back({name, why, rule == nullptr ? Origin{} : rule->where});
    }
}

/// Gaps that both architectures have are one.
AuditCoverage both(AuditCoverage wide, AuditCoverage narrow)
{
    for (auto& gap : wide.gaps) {
        const auto twin = std::ranges::find_if(narrow.gaps, [&](const AuditGap& other) {
            return other.what == gap.what && other.why == gap.why && is_same_place(other.where, gap.where);
        });
        if (twin == narrow.gaps.end()) {
            gap.what += " of 64-bit programs";
        } else {
            narrow.gaps.erase(twin);
        }
    }
    for (auto& gap : narrow.gaps) {
        gap.what += " of 32-bit programs";
        wide.gaps.push_back(std::move(gap));
    }
    for (auto& origin : narrow.by) {
        if (std::ranges::none_of(wide.by, [&](const Origin& one) { return is_same_place(one, origin); })) {
            wide.by.push_back(std::move(origin));
        }
    }
    return wide;
}

/// System calls on which access to a path depends; none: on any.
std::vector<std::string> syscalls_of(const AuditDemand& demand)
{
    const bool is_execution = !demand.path.empty() && demand.permissions == AUDIT_PERM_EXEC;
    return is_execution ? std::vector<std::string>{"execve", "execveat"} : demand.syscalls;
}

AuditCoverage coverage_of(const std::vector<AuditRule>& rules, const AuditDemand& demand, std::uint32_t arch,
                          PathNames& names)
{
    AuditCoverage out;
    const auto syscalls = syscalls_of(demand);
    for (const auto& name : syscalls) {
        if (const auto number = syscall_number(arch, name)) {
            const auto* rule = deciding(rules, AuditEvents{demand, arch, number}, names);
            take(demand.path.empty() ? name : audit_demand_text(demand), rule, out);
        }
    }
    if (syscalls.empty()) {
        take(audit_demand_text(demand), deciding(rules, AuditEvents{demand, arch, std::nullopt}, names), out);
    }
    return out;
}

} // namespace

AuditCoverage audit_coverage(const std::vector<AuditRule>& rules, const AuditDemand& demand, AuditMachine machine,
                             PathNames& names)
{
    if (const auto* rule = silencer(rules)) {
        return {{{audit_demand_text(demand), "nothing is recorded: " + audit_rule_text(*rule), rule->where}}, {}};
    }
    return both(coverage_of(rules, demand, audit_arch(machine, true), names),
                coverage_of(rules, demand, audit_arch(machine, false), names));
}

std::string audit_demand_text(const AuditDemand& demand)
{
    std::string text;
    for (const auto& name : demand.syscalls) {
        text += (text.empty() ? "" : ", ") + name;
    }
    if (!demand.path.empty()) {
        text = audit_permissions_text(demand.permissions) + " of " + demand.path;
    }
    if (demand.exit) {
        text += *demand.exit == -EACCES  ? " that end with EACCES"
                : *demand.exit == -EPERM ? " that end with EPERM"
                                         : " that end with " + std::to_string(*demand.exit);
    }
    return text;
}

} // namespace hostward::hardening
