// SPDX-License-Identifier: Apache-2.0
// What the far end's process does.
#pragma once

#include "tests/e2e/support/far_end.h"

#include <string_view>

namespace hostward::e2e {

/// Opens the sockets in the caller's network namespace and serves until the channel closes. A byte on the channel
/// is answered once everything that had arrived is counted; the first byte goes out when all sockets are open.
void serve_far_end(int channel, FarEndCounters& counters);

/// Counts one packet, from its IP header on, when it is for a guarded address or routed through to one.
void count_packet(std::string_view packet, FarEndCounters& counters);

} // namespace hostward::e2e
