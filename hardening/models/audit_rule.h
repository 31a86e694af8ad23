// SPDX-License-Identifier: Apache-2.0
// One audit rule as the kernel has it (linux/audit.h), whoever wrote it down: a file for auditctl or the kernel itself.
#pragma once

#include "hardening/models/lines.h"

#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

namespace hostward::hardening {

/// Numbers of system calls. The last 16 bits of a rule's mask are no calls and not kept.
inline constexpr std::size_t kAuditSyscallsMax = 2048 - 16;
using AuditSyscalls = std::bitset<kAuditSyscallsMax>;

/// One condition of a rule: a constant of linux/audit.h, an operator of linux/audit.h, and the value.
struct AuditField {
    std::uint32_t field = 0;
    std::uint32_t op = 0;
    std::uint32_t value = 0; ///< 0 where `text` is the value
    std::string text;        ///< of paths, keys and labels
    bool operator==(const AuditField&) const = default;
};

struct AuditRule {
    std::uint32_t list = 0;
    std::uint32_t action = 0;
    AuditSyscalls syscalls;
    std::vector<AuditField> fields;
    Origin where; ///< file and line, or the kernel

    /// The first condition on this field; null: none.
    [[nodiscard]] const AuditField* find(std::uint32_t field) const;
};

/// The kernel takes such a rule only once: everything but where it was written, its key included.
[[nodiscard]] bool is_same_rule(const AuditRule& one, const AuditRule& other);

/// Same meaning: the order of conditions and the key do not matter.
[[nodiscard]] bool is_same_meaning(const AuditRule& one, const AuditRule& other);

/// For evidence: `-a always,exit -F arch=b64 -S openat -F auid>=1000`, many system calls as their number.
[[nodiscard]] std::string audit_rule_text(const AuditRule& rule);

} // namespace hostward::hardening
