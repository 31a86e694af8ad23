// SPDX-License-Identifier: Apache-2.0
// How deep dotted keys nest, found out before the TOML library builds (and recursively destroys) the tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hostward::config {

/// Dots in one line outside strings and comments. A policy needs two; the library bounds brackets by itself.
inline constexpr std::size_t kKeyDotsMax = 16;

/// The first line with more than `dots_max` such dots, 1-based, or 0. Right for every text that is TOML up to
/// there; what is none the library refuses.
[[nodiscard]] std::uint32_t line_with_deep_key(std::string_view toml, std::size_t dots_max = kKeyDotsMax);

} // namespace hostward::config
