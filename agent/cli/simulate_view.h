// SPDX-License-Identifier: Apache-2.0
// What `guard explain --policy` prints. Pure.
#pragma once

#include "agent/cli/exit_code.h"
#include "agent/cli/policy_file.h"
#include "agent/guard/simulate.h"

#include <string>

namespace hostward::cli {

/// `path`: as given; `file`: what was simulated. Texts of events stay on their line, whatever they hold.
[[nodiscard]] std::string simulation_text(const guard::Simulation& simulation, const std::string& path,
                                          const PolicyFile& file);

/// The same for programs: one object on one line.
[[nodiscard]] std::string simulation_json(const guard::Simulation& simulation, const std::string& path,
                                          const PolicyFile& file);

/// Changes before CannotTell before Ok. Of no recorded decision at all nothing can be told.
[[nodiscard]] ExitCode simulation_exit_code(const guard::Simulation& simulation);

} // namespace hostward::cli
