// SPDX-License-Identifier: Apache-2.0
// The audit rules and flags that the running kernel has, asked over netlink.
#pragma once

#include "agent/base/result.h"
#include "hardening/models/audit_rule.h"
#include "hardening/models/facts.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace hostward::hardening {

/// A message of AUDIT_LIST_RULES or AUDIT_ADD_RULE: struct audit_rule_data of linux/audit.h.
[[nodiscard]] Result<AuditRule> decode_audit_rule(std::string_view message);

struct AuditStatus {
    std::uint32_t enabled = 0; ///< 2: locked until the next boot
    std::uint32_t failure = 0;
    std::uint32_t backlog = 0;
};

/// A message of AUDIT_GET: struct audit_status.
[[nodiscard]] Result<AuditStatus> decode_audit_status(std::string_view message);

/// Unsupported: an image. Denied: we may not ask.
struct AuditKernel {
    AuditStatus status;
    std::vector<AuditRule> rules; ///< each list in the order in which the kernel asks it
    static Result<AuditKernel> read(Facts& facts);
};

} // namespace hostward::hardening
