// SPDX-License-Identifier: Apache-2.0
// Work that may never return, done in a child with a deadline. Private to agent/guard.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace hostward::guard {

/// Runs `work` in a child and returns what it wrote to `out` until it ended or the deadline passed. The child is then
/// killed; one that hangs in the kernel is left to init. It also ends when we do. No child possible: "".
[[nodiscard]] std::string run_child(const std::function<void(int out)>& work, std::chrono::seconds deadline);

} // namespace hostward::guard
