// SPDX-License-Identifier: Apache-2.0
// The groups of system calls that filters are made of. Private to agent/sandbox.
#pragma once

#include "agent/sandbox/filter.h"

namespace hostward::sandbox {

/// The group of that name; the empty one for a name that is none, which a test finds.
[[nodiscard]] Group group_named(std::string_view name);

} // namespace hostward::sandbox
