// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/audit_kernel.h"

#include "hardening/models/audit_names.h"

#include <linux/audit.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace hostward::hardening {

namespace {

constexpr std::size_t kWordBits = 32;

/// The struct without its text, which has no length in C++.
using Head = audit_rule_data;

/// The kernel keeps `auid=unset` as a question of yes or no, and may say so.
void unify_login(AuditField& field)
{
    if (field.field != AUDIT_LOGINUID_SET) {
        return;
    }
    const bool asks_for_set = (field.value != 0) == (field.op == AUDIT_EQUAL);
    field = {AUDIT_LOGINUID, asks_for_set ? std::uint32_t{AUDIT_NOT_EQUAL} : std::uint32_t{AUDIT_EQUAL}, UINT32_MAX,
             ""};
}

} // namespace

Result<AuditRule> decode_audit_rule(std::string_view message)
{
    Head head = {};
    if (message.size() < sizeof(head)) {
        return invalid_error("an audit rule of the kernel is too short");
    }
    std::memcpy(&head, message.data(), sizeof(head));
    std::string_view text = message.substr(sizeof(head));
    if (head.field_count > AUDIT_MAX_FIELDS || head.buflen > text.size()) {
        return invalid_error("an audit rule of the kernel has lengths that do not fit");
    }
    text = text.substr(0, head.buflen);
    AuditRule rule;
    rule.list = head.flags & ~static_cast<std::uint32_t>(AUDIT_FILTER_PREPEND);
    rule.action = head.action;
    rule.where = Origin{"the running kernel", 0};
    for (std::size_t number = 0; number < rule.syscalls.size(); ++number) {
        rule.syscalls.set(number, (head.mask[number / kWordBits] >> (number % kWordBits) & 1U) != 0);
    }
    for (std::uint32_t i = 0; i < head.field_count; ++i) {
        AuditField field{head.fields[i], head.fieldflags[i] & AUDIT_OPERATORS, head.values[i], ""};
        if (is_audit_text_field(field.field)) {
            if (field.value > text.size()) {
                return invalid_error("an audit rule of the kernel has a text that does not fit");
            }
            field.text = text.substr(0, field.value);
            text.remove_prefix(field.value);
            field.value = 0;
        }
        unify_login(field);
        rule.fields.push_back(std::move(field));
    }
    return rule;
}

Result<AuditStatus> decode_audit_status(std::string_view message)
{
    // Older kernels send a shorter struct; what is asked of it here was always there.
    audit_status status = {};
    if (message.size() < offsetof(audit_status, lost)) {
        return invalid_error("the status of the kernel's audit is too short");
    }
    std::memcpy(&status, message.data(), std::min(message.size(), sizeof(status)));
    return AuditStatus{status.enabled, status.failure, status.backlog_limit};
}

Result<AuditKernel> AuditKernel::read(Facts& facts)
{
    AuditKernel kernel;
    TRY_ASSIGN(const auto status, facts.host().ask_audit(host::AuditQuestion::Status));
    if (status.empty()) {
        return Error{ErrorKind::System, 0, "the kernel's audit did not say its status"};
    }
    TRY_ASSIGN(kernel.status, decode_audit_status(status.front()));
    TRY_ASSIGN(const auto rules, facts.host().ask_audit(host::AuditQuestion::Rules));
    for (const auto& message : rules) {
        TRY_ASSIGN(auto rule, decode_audit_rule(message));
        kernel.rules.push_back(std::move(rule));
    }
    return kernel;
}

} // namespace hostward::hardening
