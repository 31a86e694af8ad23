// SPDX-License-Identifier: Apache-2.0
// The tc layer: one egress filter on every interface of this network namespace but loopback. Private to agent/guard.
#pragma once

#include "agent/base/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace hostward::guard {

struct Interface {
    int index = 0;
    std::string name;
    bool ethernet = false; ///< frames start with an Ethernet header; otherwise with the IP header
};

/// Interfaces of this network namespace without loopback, by index.
[[nodiscard]] Result<std::vector<Interface>> list_interfaces();

/// Puts the program in as first egress filter, replacing an earlier one of ours in one step.
[[nodiscard]] Status attach_tc(const Interface& interface, int program_fd);

/// Removes our filter. Absent is fine. The clsact qdisc stays: others may use it.
[[nodiscard]] Status detach_tc(const Interface& interface);

/// Id of the program in our place, 0 if none.
[[nodiscard]] std::uint32_t tc_program(const Interface& interface);

} // namespace hostward::guard
