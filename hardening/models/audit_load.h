// SPDX-License-Identifier: Apache-2.0
// What the kernel has after auditctl read a rules file: the rules that got in, and where it stopped. An error ends the
// reading, so that one bad line loses all lines after it.
#pragma once

#include "hardening/models/audit_line.h"
#include "hardening/models/audit_rule.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hostward::hardening {

struct AuditLine {
    std::string text;
    Origin where;
};

struct AuditRefusal {
    Origin where;
    std::string why;
};

struct AuditFlag {
    std::uint32_t value = 0;
    Origin where;
};

struct AuditState {
    std::vector<AuditRule> rules;     ///< each list in the order in which the kernel asks it
    std::optional<AuditFlag> enabled; ///< 2: locked until the next boot
    std::optional<AuditFlag> failure;
    std::optional<AuditFlag> backlog;
    std::vector<AuditRefusal> refused;
    std::optional<Origin> stops_at; ///< this line was refused, and nothing after it was read
};

/// More rules than this are not read: only a hostile file has so many.
inline constexpr std::size_t kAuditRulesMax = 20'000;

[[nodiscard]] AuditState load_audit_lines(const std::vector<AuditLine>& lines, const AuditSurroundings& surroundings);

} // namespace hostward::hardening
