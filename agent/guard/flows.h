// SPDX-License-Identifier: Apache-2.0
// Flows out of the kernel. Private to agent/guard.
#pragma once

#include "agent/base/result.h"
#include "agent/guard/events.h"
#include "agent/guard/kernel_maps.h"

#include <vector>

namespace hostward::guard {

/// Everything aggregated since the last call: flips the epoch, waits until nobody writes the old table, empties
/// it.
[[nodiscard]] Result<std::vector<Flow>> drain_flows(const KernelMaps& maps);

} // namespace hostward::guard
