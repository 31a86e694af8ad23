// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/guard/events_record.h"

#include <limits>
#include <string>

namespace hostward::guard {

/// Which events are wanted. All that is given must match; what an event does not know matches nothing. Names are
/// compared whole and byte for byte.
struct EventFilter {
    std::string user; ///< name, or number of the real or the effective user
    std::string exe;
    std::string unit;
    std::string rule;
    std::string decision; ///< "allow", "deny" or "would-deny"
    bool container = false;
    std::int64_t since_ns = std::numeric_limits<std::int64_t>::min(); ///< by the newest decision of the line

    /// Whether every event is wanted, those of a schema that is not known included.
    [[nodiscard]] bool takes_all() const;
    [[nodiscard]] bool matches(const EventRecord& event) const;
};

} // namespace hostward::guard
