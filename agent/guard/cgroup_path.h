// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/base/result.h"

#include <string>

namespace hostward::guard {

/// The guarded cgroup's path without trailing slash: `wanted` if it is a cgroup2 directory, and if it is empty the
/// root of the cgroup2 mount (the "unified" one on hybrid hosts). Errors: NotFound, Unsupported (no cgroup2).
[[nodiscard]] Result<std::string> guarded_cgroup(const std::string& wanted);

} // namespace hostward::guard
