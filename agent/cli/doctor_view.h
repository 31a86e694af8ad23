// SPDX-License-Identifier: Apache-2.0
// What `guard doctor` prints, and how it ends. Pure.
#pragma once

#include "agent/cli/exit_code.h"
#include "agent/guard/doctor.h"

#include <string>
#include <vector>

namespace hostward::cli {

/// For people, worst first; may change.
[[nodiscard]] std::string doctor_text(const std::vector<guard::Finding>& findings);

/// One JSON object and a newline; its fields and the ids in it are stable (docs/doctor.md).
[[nodiscard]] std::string doctor_json(const std::vector<guard::Finding>& findings);

/// How the worst of the findings ends the program.
[[nodiscard]] ExitCode doctor_exit_code(guard::Severity worst);

} // namespace hostward::cli
