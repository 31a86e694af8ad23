// SPDX-License-Identifier: Apache-2.0
// What several formats say in the same words. Text of the host is escaped.
#pragma once

#include "hardening/engine/report.h"

#include <string>
#include <vector>

namespace hostward::hardening {

/// The reason and the evidence, one line each, with how many were left out.
[[nodiscard]] std::vector<std::string> detail_lines(const Finding& finding);

/// `waived until 2026-12-31 by team: reason`, or that it expired.
[[nodiscard]] std::string waiver_line(const AppliedWaiver& waiver);

/// Whom the report is about: the host's name, or `image` and its path.
[[nodiscard]] std::string resource_id(const Report& report);

/// The same for the same recommendation of the same host in every run.
[[nodiscard]] std::string finding_id(const Report& report, const Finding& finding);

/// `2026-11-21T09:00:00Z`
[[nodiscard]] std::string iso_time(std::int64_t seconds);

} // namespace hostward::hardening
