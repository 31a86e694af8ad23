// SPDX-License-Identifier: Apache-2.0
// A host in miniature: networks, cgroups as a service manager would make them, a guard that is not loaded yet.
#pragma once

#include "agent/base/result.h"
#include "tests/e2e/support/guard.h"
#include "tests/e2e/support/network.h"
#include "tests/e2e/support/sandbox.h"

#include <memory>
#include <string>

namespace hostward::e2e {

struct Site {
    Network network;
    CgroupTree cgroups;
    std::string allowed; ///< folder of system.slice/allowed.service, which the policies name
    std::string outside; ///< folder of user.slice/session.scope, which no policy names
    Guard guard;

    /// Makes all of it. Needs root; the error says what this machine lacks.
    [[nodiscard]] static Result<std::unique_ptr<Site>> create();

    /// An attack program by nobody from outside; the base of most launches.
    [[nodiscard]] Launch attack(std::vector<std::string> argv) const;
    /// The same by root from the allowed unit.
    [[nodiscard]] Launch as_allowed(std::vector<std::string> argv) const;
};

/// Allows root in allowed.service and nobody else.
inline constexpr auto kOnlyAllowedUnit = R"(
[guard]
mode = "enforce"
[[guard.rule]]
name = "allowed-unit"
action = "allow"
user = ["0"]
unit = ["allowed.service"]
)";

} // namespace hostward::e2e
