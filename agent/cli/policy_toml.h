// SPDX-License-Identifier: Apache-2.0
// The typed configuration as the TOML that a person would write. parse(policy_toml(c)) is c again, places apart.
#pragma once

#include "agent/config/guard_config.h"

#include <string>

namespace hostward::cli {

[[nodiscard]] std::string policy_toml(const config::GuardConfig& config);

/// The same, with comments that say which file and preset each rule is from, and what was overridden.
[[nodiscard]] std::string policy_toml_with_origin(const config::GuardConfig& config);

/// One rule, its [[guard.rule]] first.
[[nodiscard]] std::string rule_toml(const config::Rule& rule);

} // namespace hostward::cli
