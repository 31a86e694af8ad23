// SPDX-License-Identifier: Apache-2.0
// What the kernel does with rules: which it refuses. Inside hardening/models only.
#pragma once

#include "hardening/models/audit_rule.h"

#include <string>

namespace hostward::hardening {

/// Why the kernel answers EINVAL to this rule; empty: it does not.
[[nodiscard]] std::string why_kernel_refuses(const AuditRule& rule);

} // namespace hostward::hardening
