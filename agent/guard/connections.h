// SPDX-License-Identifier: Apache-2.0
// Connections to guarded addresses that the policy does not allow (any more). Private to agent/guard.
#pragma once

#include "agent/base/result.h"
#include "agent/guard/kernel_maps.h"
#include "agent/guard/policy.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace hostward::guard {

/// Destroys the TCP sockets of this network namespace that are connected to a guarded address without a tag that is
/// valid under `policy` of `generation`, so that their owners see an error at once instead of a time-out (the egress
/// hook drops their packets anyway; UDP senders get its EPERM with the next packet). Returns how many. Errors: the
/// kernel lacks sock_diag modules or INET_DIAG_DESTROY.
[[nodiscard]] Result<std::size_t> destroy_stale(const KernelMaps& maps, const CompiledPolicy& policy,
                                                std::uint64_t generation);

/// One TCP socket of this network namespace that has a peer.
struct Connection {
    std::array<unsigned char, 16> address{}; ///< of the peer; the first 4 bytes count where size is 4
    std::size_t size = 0;
    std::uint16_t port = 0;
    std::uint32_t uid = 0;
    std::uint32_t inode = 0; ///< as in the links below /proc/PID/fd; 0: nobody has it open
};

/// Every TCP socket but those in TIME_WAIT, tags or not: needs no privilege and no guard.
[[nodiscard]] Result<std::vector<Connection>> list_connections();

/// ADDRESS:PORT as people write it.
[[nodiscard]] std::string peer_text(const Connection& connection);

} // namespace hostward::guard
