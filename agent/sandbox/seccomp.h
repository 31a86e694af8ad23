// SPDX-License-Identifier: Apache-2.0
// A filter of system calls in the kernel.
#pragma once

#include "agent/base/result.h"
#include "agent/sandbox/filter.h"

namespace hostward::sandbox {

enum class Enforcement {
    Kill, ///< what the filter does not allow ends the process
    Log,  ///< the kernel's log has it, and it goes on: for finding out what a filter lacks
};

/// From now on this process, its threads and all that it starts make only the system calls of `program`'s filter. Takes
/// what an earlier call left, and never gives back. Sets no_new_privs. A build with sanitizers does nothing here: they
/// need calls of their own.
/// Unsupported: the kernel has no such filters.
[[nodiscard]] Status confine(Program program, Enforcement enforcement);

} // namespace hostward::sandbox
