// SPDX-License-Identifier: Apache-2.0
// A policy file read and compiled against this host, for commands that load nothing.
#pragma once

#include "agent/config/guard_config.h"
#include "agent/guard/policy.h"

#include <string>

namespace hostward::cli {

struct PolicyFile {
    config::GuardConfig config;
    guard::CompiledPolicy policy;
};

/// Every error means that the file cannot be used (ExitCode::InvalidConfig), whatever its kind.
[[nodiscard]] Result<PolicyFile> read_policy_file(const std::string& path, guard::Resolver& resolver,
                                                  const std::string& preset_dir = config::kPresetDir,
                                                  config::Trust trust = config::Trust::RootOnly);

} // namespace hostward::cli
