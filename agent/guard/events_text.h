// SPDX-License-Identifier: Apache-2.0
// Text inside an event. Internal to the policy library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hostward::guard {

/// The unit that a cgroup path (below the guarded cgroup) belongs to: its first component that is no slice, if it
/// is a unit with processes. Empty: none, or the path was cut and nobody can tell.
[[nodiscard]] std::string unit_of(std::string_view cgroup_path);

/// IPPROTO_* for people: "tcp", "udp", ..., or the number.
[[nodiscard]] std::string protocol_text(std::uint32_t protocol);

} // namespace hostward::guard
