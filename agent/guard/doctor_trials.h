// SPDX-License-Identifier: Apache-2.0
// The layers of the guard, tried on this kernel. Private to agent/guard.
#pragma once

#include "agent/guard/doctor.h"

#include <map>
#include <set>
#include <string>

namespace hostward::guard {

/// Tries every layer below the cgroup that `options` guards. `attached`: security programs that a guard on this host
/// has attached, which are known to work. Nothing stays behind.
[[nodiscard]] std::map<std::string, Trial> run_trials(const Options& options, const std::set<std::string>& attached);

/// The same answer for every trial.
[[nodiscard]] std::map<std::string, Trial> no_trials(const std::string& why);

} // namespace hostward::guard
