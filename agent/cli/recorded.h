// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/cli/options.h"
#include "agent/guard/events_record.h"

#include <cstdint>
#include <functional>
#include <string>

namespace hostward::cli {

/// --since as nanoseconds since 1970; the beginning of time if it was not given.
[[nodiscard]] Result<std::int64_t> first_moment(const std::string& since);

/// Lines that gave no event.
struct Unread {
    std::uint64_t foreign = 0; ///< text of something else, such as the agent's own messages in the journal
    std::uint64_t damaged = 0; ///< JSON that is no event, too long, or cut off: perhaps an event once
};

/// Gives every event that --events and --since name, oldest file first, to `take`. Lines that are no events are
/// counted, also in a warning. Invalid: --since is no time. NotFound: there is no such file.
[[nodiscard]] Result<Unread> read_recorded(const CommandLine& line,
                                           const std::function<void(const guard::EventRecord&)>& take);

} // namespace hostward::cli
