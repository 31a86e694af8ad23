// SPDX-License-Identifier: Apache-2.0
// What `hostward report` prints. Pure.
#pragma once

#include "agent/report/run.h"

#include <string>

namespace hostward::cli {

/// For people; may change.
[[nodiscard]] std::string run_text(const report::RunResult& result);

/// One JSON object and a newline; its fields are stable.
[[nodiscard]] std::string run_json(const report::RunResult& result);

/// Whether every sink of the run has all reports.
[[nodiscard]] bool is_all_sent(const report::RunResult& result);

} // namespace hostward::cli
