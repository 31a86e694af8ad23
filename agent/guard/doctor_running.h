// SPDX-License-Identifier: Apache-2.0
// Facts about the guard that is loaded, and about this boot. Private to agent/guard.
#pragma once

#include "agent/guard/doctor.h"

#include <cstdint>
#include <map>
#include <string>

namespace hostward::guard {

/// read_status(), but a pin directory that cannot be looked at is an error: list_pins() takes it for an empty one.
[[nodiscard]] Result<GuardStatus> examine_status(const Options& options);

/// Pins and the tables behind them. Untouched where no guard is loaded.
void examine_pins(const Options& options, const PolicyFacts& policy, RunFacts& facts);

[[nodiscard]] BootFacts examine_boot(const Options& options);

/// "pid N PROGRAM" by socket inode, as far as this process may look.
[[nodiscard]] std::map<std::uint32_t, std::string> socket_owners();

} // namespace hostward::guard
