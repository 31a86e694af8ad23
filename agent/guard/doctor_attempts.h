// SPDX-License-Identifier: Apache-2.0
// What a process tries inside the doctor's cgroup and network namespace. Private to agent/guard.
#pragma once

#include "agent/base/result.h"

#include <string>

namespace hostward::guard {

// Addresses for documentation (RFC 5737, RFC 3849): nobody's, and no other guard's.
inline constexpr auto kRefused4 = "192.0.2.1";
inline constexpr auto kAllowed4 = "192.0.2.2";
inline constexpr auto kRefused6 = "2001:db8::1";

/// In the place of an errno: nothing was tried, for want of a socket family or for another reason.
inline constexpr auto kNoFamily = "no-family";
inline constexpr auto kNotMade = "not-made";

/// Joins `cgroup`, enters a network namespace of its own, and tries to reach the addresses on every way. Writes one
/// line per trial to `out`: `NAME<tab>ERRNO` of the attempt, or `NAME<tab>kNotMade<tab>WHY`.
/// `tc_program` is attached to the namespace's loopback interface; negative: there is none. For a child.
void make_attempts(const std::string& cgroup, int tc_program, int out);

} // namespace hostward::guard
