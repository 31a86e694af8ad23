// SPDX-License-Identifier: Apache-2.0
// Times in events and in questions about them. Pure; UTC throughout.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hostward::guard {

/// Nanoseconds since 1970 as RFC 3339 in UTC with milliseconds: 2026-11-21T01:02:03.456Z.
[[nodiscard]] std::string rfc3339(std::int64_t wall_ns);

/// The reverse: also without fraction, with a space for the T, without the Z, and a date alone (its first moment).
/// Nothing: no such time, or before 1970.
[[nodiscard]] std::optional<std::int64_t> parse_rfc3339(std::string_view text);

/// What --since takes: a time as above, or how long ago: 90s, 30m, 12h, 7d, 2w.
[[nodiscard]] std::optional<std::int64_t> parse_since(std::string_view text, std::int64_t now_ns);

} // namespace hostward::guard
