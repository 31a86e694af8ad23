// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/audit_rule.h"

#include "hardening/models/audit_names.h"
#include "hardening/models/audit_syscalls.h"

#include <linux/audit.h>

#include <algorithm>
#include <tuple>

namespace hostward::hardening {

namespace {

constexpr std::size_t kNamesMax = 24; ///< system calls spelled out in evidence

std::string syscalls_text(const AuditRule& rule)
{
    const auto* arch = rule.find(AUDIT_ARCH);
    if (rule.syscalls.all()) {
        return arch == nullptr ? "" : " -S all";
    }
    if (rule.syscalls.none() || rule.syscalls.count() > kNamesMax) {
        return " -S (" + std::to_string(rule.syscalls.count()) + " system calls)";
    }
    std::string text;
    for (std::uint32_t number = 0; number < rule.syscalls.size(); ++number) {
        if (rule.syscalls.test(number)) {
            text += (text.empty() ? " -S " : ",") + syscall_name(arch == nullptr ? 0 : arch->value, number);
        }
    }
    return text;
}

std::string value_text(const AuditField& field)
{
    if (is_audit_text_field(field.field)) {
        return field.text;
    }
    switch (field.field) {
    case AUDIT_ARCH: return (field.value & __AUDIT_ARCH_64BIT) != 0 ? "b64" : "b32";
    case AUDIT_PERM: return audit_permissions_text(field.value);
    case AUDIT_EXIT: return std::to_string(static_cast<std::int32_t>(field.value));
    case AUDIT_LOGINUID: return field.value == UINT32_MAX ? "unset" : std::to_string(field.value);
    default: return std::to_string(field.value);
    }
}

std::string field_text(const AuditField& field)
{
    return " -F " + audit_field_name(field.field) + std::string(audit_operator_text(field.op)) + value_text(field);
}

/// Without keys, each once: what a rule matches.
std::vector<AuditField> conditions(const AuditRule& rule)
{
    std::vector<AuditField> fields = rule.fields;
    std::erase_if(fields, [](const auto& field) { return field.field == AUDIT_FILTERKEY; });
    const auto key = [](const AuditField& field) { return std::tie(field.field, field.op, field.value, field.text); };
    std::ranges::sort(fields, [&](const auto& one, const auto& other) { return key(one) < key(other); });
    fields.erase(std::unique(fields.begin(), fields.end()), fields.end());
    return fields;
}

} // namespace

const AuditField* AuditRule::find(std::uint32_t field) const
{
    const auto found = std::ranges::find(fields, field, &AuditField::field);
    return found == fields.end() ? nullptr : &*found;
}

bool is_same_rule(const AuditRule& one, const AuditRule& other)
{
    return one.list == other.list && one.action == other.action && one.syscalls == other.syscalls &&
           one.fields == other.fields;
}

bool is_same_meaning(const AuditRule& one, const AuditRule& other)
{
    return one.list == other.list && one.action == other.action && one.syscalls == other.syscalls &&
           conditions(one) == conditions(other);
}

std::string audit_rule_text(const AuditRule& rule)
{
    std::string text =
        std::string("-a ") + (rule.action == AUDIT_NEVER ? "never," : "always,") + audit_list_name(rule.list);
    const auto* arch = rule.find(AUDIT_ARCH);
    text += arch == nullptr ? "" : field_text(*arch);
    text += syscalls_text(rule);
    for (const auto& field : rule.fields) {
        if (&field != arch) {
            text += field_text(field);
        }
    }
    return text;
}

} // namespace hostward::hardening
