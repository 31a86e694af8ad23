// SPDX-License-Identifier: Apache-2.0
// --summary-line: one line of JSON first, then bounded text. AWS SSM keeps the first 24,000 characters of what a
// command prints, and its lists less: the line survives both. Pure.
#pragma once

#include "agent/base/result.h"
#include "agent/guard/status.h"
#include "agent/report/run.h"
#include "hardening/engine/report.h"

#include <string>
#include <string_view>

namespace hostward::cli {

inline constexpr std::size_t kSummaryBytesMax = 500; ///< of the line, its newline included

/// The line of each command: one JSON object and a newline. Its fields are stable. Names that do not fit are left out
/// or end with `...`, and `truncated` says so.
[[nodiscard]] std::string check_summary(const hardening::Report& report);
[[nodiscard]] std::string guard_summary(const guard::GuardStatus& status);
[[nodiscard]] std::string run_summary(const report::RunResult& result);

/// In place of the others: the command did not take place. `what` is check, guard or report.
[[nodiscard]] std::string error_summary(std::string_view what, const Error& error);

/// `summary`, then the lines of `text` that fit into `chars_max` with it, in bytes, of which there are never fewer than
/// characters. What is left out is counted in a last line that ends with `how`: the way to see it.
[[nodiscard]] std::string bounded(const std::string& summary, std::string_view text, std::size_t chars_max,
                                  std::string_view how);

} // namespace hostward::cli
