// SPDX-License-Identifier: Apache-2.0
// The metadata service's answer with credentials in it.
#pragma once

#include "agent/report/credentials.h"

#include <string_view>

namespace hostward::report {

/// Denied: its Code is not Success; the code is in the text. Invalid: anything else that is no set of credentials; no
/// part of it is in the text. `is_expired` is left alone.
[[nodiscard]] Result<Credentials> parse_credentials(std::string_view json);

/// `2026-11-21T09:00:00Z` in seconds since 1970, or nothing.
[[nodiscard]] std::optional<std::int64_t> parse_utc_time(std::string_view text);

} // namespace hostward::report
