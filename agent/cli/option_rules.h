// SPDX-License-Identifier: Apache-2.0
// Options that do not go together, beyond what the command-line library can say.
#pragma once

#include "agent/cli/options.h"

#include <string>

namespace hostward::cli {

/// What is wrong with the command line, in one sentence; empty: nothing.
[[nodiscard]] std::string contradiction(const CommandLine& line);

} // namespace hostward::cli
