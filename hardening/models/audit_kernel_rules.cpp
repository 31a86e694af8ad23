// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/audit_kernel_rules.h"

#include "hardening/models/audit_names.h"

#include <linux/audit.h>

#include <algorithm>

namespace hostward::hardening {

namespace {

bool takes_every_operator(std::uint32_t field)
{
    return (field >= AUDIT_ARG0 && field <= AUDIT_ARG3) || field == AUDIT_PERS || field == AUDIT_DEVMINOR;
}

bool takes_equality_only(std::uint32_t field)
{
    switch (field) {
    case AUDIT_SUBJ_USER:
    case AUDIT_SUBJ_ROLE:
    case AUDIT_SUBJ_TYPE:
    case AUDIT_OBJ_USER:
    case AUDIT_OBJ_ROLE:
    case AUDIT_OBJ_TYPE:
    case AUDIT_WATCH:
    case AUDIT_DIR:
    case AUDIT_FILTERKEY:
    case AUDIT_ARCH:
    case AUDIT_FSTYPE:
    case AUDIT_PERM:
    case AUDIT_FILETYPE:
    case AUDIT_FIELD_COMPARE:
    case AUDIT_EXE: return true;
    default: return false;
    }
}

std::string problem_of(const AuditField& field)
{
    const bool is_equality = field.op == AUDIT_EQUAL || field.op == AUDIT_NOT_EQUAL;
    const bool is_bits = field.op == AUDIT_BIT_MASK || field.op == AUDIT_BIT_TEST;
    // The kernel turns `auid=unset` into a question of yes or no.
    const bool is_unset_login = field.field == AUDIT_LOGINUID && field.value == UINT32_MAX;
    const bool is_path = field.field == AUDIT_WATCH || field.field == AUDIT_DIR;
    if ((is_bits && !takes_every_operator(field.field)) ||
        (!is_equality && (takes_equality_only(field.field) || is_unset_login)) ||
        (is_path && field.op != AUDIT_EQUAL)) {
        return "the kernel does not take this operator for " + audit_field_name(field.field);
    }
    if ((is_path || field.field == AUDIT_EXE) && !field.text.starts_with('/')) {
        return audit_field_name(field.field) + " must begin with /";
    }
    if (field.field == AUDIT_WATCH && field.text.ends_with('/')) {
        return "the kernel does not take a path with / at its end";
    }
    return "";
}

} // namespace

std::string why_kernel_refuses(const AuditRule& rule)
{
    for (const auto& field : rule.fields) {
        if (rule.list == AUDIT_FILTER_FS && field.field != AUDIT_FSTYPE && field.field != AUDIT_FILTERKEY) {
            return "the kernel does not take " + audit_field_name(field.field) + " on the filesystem list";
        }
        if (auto problem = problem_of(field); !problem.empty()) {
            return problem;
        }
    }
    const auto count = [&](std::uint32_t one, std::uint32_t other) {
        return std::ranges::count_if(rule.fields, [&](const auto& f) { return f.field == one || f.field == other; });
    };
    if (count(AUDIT_WATCH, AUDIT_DIR) > 1 || count(AUDIT_EXE, AUDIT_EXE) > 1) {
        return "the kernel takes one path in a rule";
    }
    return "";
}

} // namespace hostward::hardening
