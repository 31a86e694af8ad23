// SPDX-License-Identifier: Apache-2.0
// One process at a time changes a guard.
#pragma once

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

#include <string>

namespace hostward::guard {

class InstanceLock {
public:
    InstanceLock() = default;
    /// Creates `run_dir` (0755) and locks run_dir/lock until destruction; writes our pid into it. Conflict with
    /// the holder's pid if another process has it.
    [[nodiscard]] static Result<InstanceLock> take(const std::string& run_dir);
    /// Pid of the process that holds the lock, 0 for nobody.
    [[nodiscard]] static int holder(const std::string& run_dir);

private:
    explicit InstanceLock(UniqueFd file) : file_(std::move(file)) {}
    UniqueFd file_;
};

} // namespace hostward::guard
