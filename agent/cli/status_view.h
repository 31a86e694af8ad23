// SPDX-License-Identifier: Apache-2.0
// What `guard status` prints. Pure.
#pragma once

#include "agent/guard/status.h"

#include <string>

namespace hostward::cli {

/// One word, the same for people and for programs.
[[nodiscard]] const char* layer_state_text(guard::LayerState state);

/// absent, audit or enforce.
[[nodiscard]] const char* state_text(const guard::GuardStatus& status);

/// For people; may change.
[[nodiscard]] std::string status_text(const guard::GuardStatus& status);

/// One JSON object and a newline; its fields are stable.
[[nodiscard]] std::string status_json(const guard::GuardStatus& status);

/// One JSON object: `guard` of docs/schema/posture-report.schema.json. "We could not look" is told apart from "there is
/// none".
[[nodiscard]] std::string posture_guard_json(const Result<guard::GuardStatus>& status);

} // namespace hostward::cli
