// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace hostward::cli {

/// One line of events.jsonl as a readable line without newline. Nothing: it is no event (damaged, foreign).
[[nodiscard]] std::optional<std::string> event_text(const std::string& line);

/// Whether `line` is one JSON object.
[[nodiscard]] bool is_event(const std::string& line);

} // namespace hostward::cli
