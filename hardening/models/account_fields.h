// SPDX-License-Identifier: Apache-2.0
// Lines of passwd, group, shadow and gshadow, read the way the C library reads them: it decides who is who.
#pragma once

#include "hardening/models/lines.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

/// A number that fills a field, as strtoul(3) reads it: blanks and a sign before it are allowed, so `00`, `+0` and ` 0`
/// are 0. Nothing if there is no digit, something follows, or it needs more than 32 bits (older libraries make that
/// 4294967295, which is nobody either).
[[nodiscard]] std::optional<std::uint32_t> libc_id(std::string_view field);

/// A field of shadow(5) that may be empty: `empty` then. Nothing if the field is neither empty nor a number.
[[nodiscard]] std::optional<std::int64_t> libc_number_or(std::string_view field, std::int64_t empty);

/// Without the blanks that the C library skips at the start of a line.
[[nodiscard]] std::string_view without_leading_blanks(std::string_view line);

/// Members between commas; blanks before a name do not count, empty ones are none.
[[nodiscard]] std::vector<std::string> member_list(std::string_view field);

/// Calls `each` for every line that is not empty and not a comment, without its leading blanks.
void for_each_account_line(std::string_view text,
                           const std::function<void(std::string_view line, std::uint32_t number)>& each);

/// The line's fields; the last takes what is left. Fewer than `count` if the line is shorter.
[[nodiscard]] std::vector<std::string_view> account_fields(std::string_view line, std::size_t count);

/// `+` and `-` lines ask NIS ("compat"); they are no accounts of the file.
[[nodiscard]] inline bool is_compat_line(std::string_view line)
{
    return !line.empty() && (line[0] == '+' || line[0] == '-');
}

} // namespace hostward::hardening
