// SPDX-License-Identifier: Apache-2.0
// The rows of the threat model as data: every known way around the guard, what closes it, what remains. Pure.
#pragma once

#include "agent/guard/status.h"

#include <array>
#include <span>
#include <string_view>
#include <vector>

namespace hostward::guard {

/// One way around. docs/threat-model.md has the same ids in the same order (checked by tests/lint).
struct Row {
    std::string_view id;
    std::string_view title;
    /// The layer that closes it: "connect", "egress", "tc", "lsm" or "seal" as in LayerStatus, or "pins": objects
    /// that outlive the agent, which a loaded guard always has.
    std::string_view layer;
    /// Programs of that layer that must be attached; empty names are unused. None: the whole layer must be on.
    std::array<std::string_view, 4> programs;
    std::string_view remainder; ///< what stays possible with the row closed; may be empty
};

[[nodiscard]] std::span<const Row> rows();

/// What else decides, beside the layers.
struct RowContext {
    bool audit = false;
    bool sealed = false;
    bool forwarded_allowed = false;      ///< policy: forwarded = "allow"
    bool bypass_sockets_allowed = false; ///< policy: bypass_sockets = "allow"
    bool loaded = true;
};

/// Every row, closed or open with the reason. Nothing is closed while the guard is not loaded or in audit mode.
[[nodiscard]] std::vector<RowStatus> rows_status(const std::vector<LayerStatus>& layers, const RowContext& context);

} // namespace hostward::guard
