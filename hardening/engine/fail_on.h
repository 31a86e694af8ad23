// SPDX-License-Identifier: Apache-2.0
// When a check ends as failed: `--fail-on`, for pipelines.
#pragma once

#include "agent/base/result.h"
#include "hardening/engine/report.h"

#include <string_view>
#include <vector>

namespace hostward::hardening {

/// One way to fail. A finding that a waiver covers never counts; one whose waiver expired does.
struct FailOn {
    bool cannot_tell = false; ///< counts what could not be looked at instead of failures
    Severity at_least = Severity::Low;
    int level_max = 2;     ///< only of recommendations up to this level
    bool only_new = false; ///< only what Report::since calls a new failure
};

/// Comma-separated: `never`, `fail`, `low`, `medium`, `high`, `critical` (failures of at least that severity), `level1`
/// (failures of level 1), `new` (failures that the earlier report did not have), `cannot-tell`. Each adds to the
/// others; `never` stands alone.
[[nodiscard]] Result<std::vector<FailOn>> parse_fail_on(std::string_view text);

[[nodiscard]] bool is_failed(const Report& report, const std::vector<FailOn>& what);

} // namespace hostward::hardening
