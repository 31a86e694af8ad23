// SPDX-License-Identifier: Apache-2.0
// Connections to guarded addresses that the policy does not allow (any more). Private to agent/guard.
#pragma once

#include "agent/base/result.h"
#include "agent/guard/kernel_maps.h"
#include "agent/guard/policy.h"

#include <cstddef>

namespace hostward::guard {

/// Destroys the TCP sockets of this network namespace that are connected to a guarded address without a tag that is
/// valid under `policy` of `generation`, so that their owners see an error at once instead of a time-out (the egress
/// hook drops their packets anyway; UDP senders get its EPERM with the next packet). Returns how many. Errors: the
/// kernel lacks sock_diag modules or INET_DIAG_DESTROY.
[[nodiscard]] Result<std::size_t> destroy_stale(const KernelMaps& maps, const CompiledPolicy& policy,
                                                std::uint64_t generation);

} // namespace hostward::guard
