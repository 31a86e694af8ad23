// SPDX-License-Identifier: Apache-2.0
// The part between fork and exec.
#pragma once

#include "agent/base/result.h"
#include "tests/e2e/support/process.h"

namespace hostward::e2e {

/// Standard streams of the new process.
struct Streams {
    int input = -1;
    int out = -1;
    int err = -1;
};

/// Starts the program. It ends when the calling process does. Its process group is its own.
[[nodiscard]] Result<pid_t> spawn(const Launch& launch, const Streams& streams);

} // namespace hostward::e2e
