// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hostward {

/// RFC 4648 section 4, with its `=` or without, no other characters. Nothing for any other text.
[[nodiscard]] std::optional<std::string> decoded_base64(std::string_view text);

} // namespace hostward
