// SPDX-License-Identifier: Apache-2.0
// Shell patterns of host and rules, as fnmatch(3) takes them in the C locale, but in time pattern times text at worst:
// fnmatch(3) itself takes exponential time, and patterns are text of the host, too.
#pragma once

#include <string_view>

namespace hostward::hardening {

/// The whole of `text`: `*` is any text, `?` one byte, everything else itself.
[[nodiscard]] bool matches_wildcards(std::string_view pattern, std::string_view text);

/// The same with `[...]` and backslashes: fnmatch(3) without flags. Collating symbols and equivalence classes (`[.x.]`,
/// `[=x=]`) match nothing.
[[nodiscard]] bool matches_text(std::string_view pattern, std::string_view text);

/// The same of one path component: a leading dot wants a dot (FNM_PERIOD).
[[nodiscard]] bool matches_name(std::string_view pattern, std::string_view name);

/// A path, component by component (FNM_PATHNAME | FNM_PERIOD).
[[nodiscard]] bool matches_path(std::string_view pattern, std::string_view path);

} // namespace hostward::hardening
