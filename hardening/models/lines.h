// SPDX-License-Identifier: Apache-2.0
// Configuration text line by line, with numbers for evidence.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

/// Where something is written. line 0: the whole file.
struct Origin {
    std::string file;
    std::uint32_t line = 0;

    [[nodiscard]] std::string text() const; ///< `FILE:LINE` or `FILE`; control characters stay, output escapes
};

/// Calls `each` with every line without its end (`\n`), numbered from 1. A last line without an end counts.
void for_each_line(std::string_view text, const std::function<void(std::string_view line, std::uint32_t number)>& each);

/// Without blanks (space, tab, CR, LF, VT, FF) at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// Parts between runs of blanks; none for blank text.
[[nodiscard]] std::vector<std::string_view> words(std::string_view text);

/// ASCII only: what configuration formats mean by "case-insensitive".
[[nodiscard]] std::string lower(std::string_view text);

/// `a, b, c` with `, ` between.
[[nodiscard]] std::string joined(const std::vector<std::string>& list, std::string_view between);

} // namespace hostward::hardening
