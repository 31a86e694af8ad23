// SPDX-License-Identifier: Apache-2.0
// Running one program to its end: no shell, bounded time and output.
#pragma once

#include "agent/host/host.h"

namespace hostward::host {

/// As Host::run(). The program and all that stays in its process group are gone when this returns.
[[nodiscard]] Result<Finished> run_program(const std::vector<std::string>& argv, const RunLimits& limits);

} // namespace hostward::host
