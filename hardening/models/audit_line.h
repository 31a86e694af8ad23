// SPDX-License-Identifier: Apache-2.0
// One line of a rules file as auditctl(8) takes it: what it does, or why auditctl or the kernel refuses it.
#pragma once

#include "hardening/models/audit_rule.h"
#include "hardening/models/audit_syscalls.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

/// What auditctl and the kernel ask the machine while rules are loaded.
struct AuditSurroundings {
    AuditMachine machine = AuditMachine::X86_64;
    std::function<bool(const std::string& path)> is_directory;
    /// False only for what is surely not there: the kernel refuses rules about paths in folders that do not exist.
    std::function<bool(const std::string& path)> may_exist;
    std::function<std::optional<std::uint32_t>(std::string_view name)> uid_of;
    std::function<std::optional<std::uint32_t>(std::string_view name)> gid_of;
};

/// What one line does, in this order. A refused line may have done the first part.
struct AuditCommand {
    std::optional<std::uint32_t> enabled; ///< -e
    std::optional<std::uint32_t> failure; ///< -f
    std::optional<std::uint32_t> backlog; ///< -b
    bool goes_on_after_errors = false;    ///< -i or -c: for this line and all after it
    bool deletes_all = false;             ///< -D
    std::string deletes_key;              ///< of `-D -k KEY`: only those
    std::optional<AuditRule> adds;
    bool in_front = false; ///< -A
    std::optional<AuditRule> deletes;
    std::string refused; ///< why; empty: taken
};

/// Words of a line as auditctl splits it: at blanks only, `\ ` and `\\` stand for themselves. Nothing: a comment or
/// an empty line.
[[nodiscard]] std::vector<std::string> audit_words(std::string_view line);

[[nodiscard]] AuditCommand parse_audit_line(std::string_view line, const AuditSurroundings& surroundings);

} // namespace hostward::hardening
