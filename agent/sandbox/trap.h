// SPDX-License-Identifier: Apache-2.0
// The last words of a process that made a forbidden system call. Private to agent/sandbox.
#pragma once

#include "agent/sandbox/program.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace hostward::sandbox {

/// Names of system calls by number: looking them up in the handler would take memory there.
struct SyscallNames {
    static constexpr std::size_t kCount = 512; ///< the kernel's highest is below 480 so far
    static constexpr std::size_t kLength = 32;
    std::array<std::array<char, kLength>, kCount> names{};
};

/// For SIGSYS, all threads: one line on standard error that says which call it was, then death of that very signal.
/// Programs that we start have no such handler and just die.
void explain_traps(Program program, const SyscallNames& names);

} // namespace hostward::sandbox
