// SPDX-License-Identifier: Apache-2.0
// The whole sandbox of a process, for composition roots.
#pragma once

#include "agent/sandbox/capabilities.h"
#include "agent/sandbox/seccomp.h"

namespace hostward::sandbox {

/// How HOSTWARD_SECCOMP asks for filters to be enforced. To be called before the environment is cleaned; Kill for a
/// process that has more rights than its caller.
[[nodiscard]] Enforcement wanted_enforcement();

/// Capabilities, private memory, filter: what the process can do from now on. A kernel that has no filters is warned
/// of, and we go on without: a guard that does not start protects nobody.
[[nodiscard]] Status enter(Program program, Output output, Enforcement enforcement);

} // namespace hostward::sandbox
