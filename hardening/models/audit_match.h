// SPDX-License-Identifier: Apache-2.0
// One rule against one kind of event. Inside hardening/models only.
#pragma once

#include "hardening/models/audit_coverage.h"

#include <cstdint>
#include <optional>

namespace hostward::hardening {

/// Events of one kind: a demand on one architecture, of one system call or, for a path, of any.
struct AuditEvents {
    const AuditDemand& demand;
    std::uint32_t arch = 0;
    std::optional<std::uint32_t> syscall; ///< nothing: any
};

/// How many of the events a rule matches.
enum class AuditMatch { None, Some, All };

[[nodiscard]] AuditMatch audit_match(const AuditRule& rule, const AuditEvents& events, PathNames& names);

} // namespace hostward::hardening
