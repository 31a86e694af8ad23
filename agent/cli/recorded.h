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

/// Gives every event that --events and --since name, oldest file first, to `take`. Lines that are no events are
/// counted in a warning. Invalid: --since is no time. NotFound: there is no such file.
[[nodiscard]] Status read_recorded(const CommandLine& line, const std::function<void(const guard::EventRecord&)>& take);

} // namespace hostward::cli
