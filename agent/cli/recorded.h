// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/cli/options.h"
#include "agent/guard/events_record.h"

#include <functional>

namespace hostward::cli {

/// Gives every event that --events and --since name, oldest file first, to `take`. Lines that are no events are
/// counted in a warning. Invalid: --since is no time. NotFound: there is no such file.
[[nodiscard]] Status read_recorded(const CommandLine& line, const std::function<void(const guard::EventRecord&)>& take);

} // namespace hostward::cli
