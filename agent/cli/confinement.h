// SPDX-License-Identifier: Apache-2.0
// Which sandbox a command runs in.
#pragma once

#include "agent/cli/options.h"
#include "agent/sandbox/capabilities.h"

namespace hostward::cli {

[[nodiscard]] sandbox::Program program_of(const CommandLine& line);

/// Named: root may be told to write into a folder of somebody else.
[[nodiscard]] sandbox::Output output_of(const CommandLine& line);

} // namespace hostward::cli
