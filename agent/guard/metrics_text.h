// SPDX-License-Identifier: Apache-2.0
// The guard's numbers in Prometheus' text format. Pure. docs/metrics.md lists them.
#pragma once

#include "agent/guard/status.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hostward::guard {

/// What only the running agent knows.
struct AgentFacts {
    std::int64_t started_at = 0;            ///< seconds since 1970
    std::uint64_t lines_lost = 0;           ///< event lines that could not be written to the file
    std::uint64_t live_lines_lost = 0;      ///< event lines that reached neither the journal nor standard output
    std::uint64_t decisions_suppressed = 0; ///< decisions in no line: too many identities at once
};

struct Metric {
    std::string_view name;
    std::string_view type; ///< "counter" or "gauge"
    std::string_view help;
};

/// Every metric there is, in the order of the text.
[[nodiscard]] std::span<const Metric> metrics();

/// The whole text. `status`: nothing means that it could not be read, which is said and is not "not loaded".
/// `agent`: nothing means that it is not the agent who asks.
[[nodiscard]] std::string metrics_text(const std::optional<GuardStatus>& status, std::string_view version,
                                       const std::optional<AgentFacts>& agent);

} // namespace hostward::guard
