// SPDX-License-Identifier: Apache-2.0
// What of root's power a process keeps.
#pragma once

#include "agent/base/result.h"
#include "agent/sandbox/program.h"

#include <string>
#include <vector>

namespace hostward::sandbox {

/// Where results go: root may be told to write into a folder of somebody else.
enum class Output {
    Own,   ///< standard output, and places of our own
    Named, ///< a file that the command line names
};

/// Keeps of its capabilities those that `program` needs and gives up all others, for good; no program started from
/// here can gain any. Who has none keeps none.
[[nodiscard]] Status keep_capabilities(Program program, Output output);

/// Names of what keep_capabilities() keeps, `cap_bpf`, in the order of their numbers.
[[nodiscard]] std::vector<std::string> kept_capabilities(Program program, Output output);

} // namespace hostward::sandbox
