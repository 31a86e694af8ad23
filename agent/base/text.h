// SPDX-License-Identifier: Apache-2.0
// Text helpers: escaping of outside strings, numbers, splitting.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward {

/// Outside text made safe to print on one line: valid printable UTF-8 stays, everything else becomes
/// \xNN, backslash and double quote are escaped. No surrounding quotes.
[[nodiscard]] std::string escape(std::string_view raw);

/// escape() within double quotes.
[[nodiscard]] std::string quote(std::string_view raw);

/// The whole of `text` as a number of type T, or nothing (sign, space, trailing byte, out of range).
template <std::integral T> [[nodiscard]] std::optional<T> parse_number(std::string_view text, int base = 10)
{
    T value{};
    const auto* end = text.data() + text.size();
    const auto [stop, status] = std::from_chars(text.data(), end, value, base);
    if (status != std::errc{} || stop != end) {
        return std::nullopt;
    }
    return value;
}

/// Parts of `text` between `separator`; always at least one, empty parts kept.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

[[nodiscard]] std::string hex(const unsigned char* bytes, std::size_t size);

} // namespace hostward
