// SPDX-License-Identifier: Apache-2.0
// Program files for commands that only look: also without the privilege to ask the kernel, as in a build pipeline.
#pragma once

#include "agent/guard/policy.h"

#include <memory>

namespace hostward::cli {

/// What identifies the program file behind an open descriptor; nothing if it is deleted or in memory only. Where the
/// kernel refuses to say, the numbers of stat(2) stand in: good for comparing with others of this kind, not for
/// enforcing.
[[nodiscard]] Result<std::optional<guard::ExeFact>> identify_program(int fd);

/// As `real`, but a program that the kernel refuses to identify is identified as by identify_program().
[[nodiscard]] std::unique_ptr<guard::Resolver> make_path_resolver(std::unique_ptr<guard::Resolver> real);

} // namespace hostward::cli
