// SPDX-License-Identifier: Apache-2.0
// Demands on audit rules, judged for the files that the next boot loads and for the running kernel. Inside
// hardening/primitives only.
#pragma once

#include "hardening/engine/value.h"
#include "hardening/engine/verdict.h"
#include "hardening/models/audit_coverage.h"
#include "hardening/models/facts.h"

#include <array>
#include <string_view>
#include <vector>

namespace hostward::hardening {

/// Whether every demand is met by both. A live pass needs both; an image has the files only. UID_MIN is filled in.
[[nodiscard]] Result<Outcome> judge_audit(Facts& facts, std::vector<AuditDemand> demands);

inline constexpr std::array<std::string_view, 3> kAuditUsers{"everybody", "logged-in", "people"};
inline constexpr ArgumentSpec kAuditUsersArgument{
    "users", ValueType::Text, false, "whose doings: everybody's, of who logged in, of accounts from UID_MIN on",
    kAuditUsers};
[[nodiscard]] AuditUsers audit_users(const Arguments& arguments);

} // namespace hostward::hardening
