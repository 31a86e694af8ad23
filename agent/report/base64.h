// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hostward::report {

/// RFC 4648 section 4, with padding, on one line.
[[nodiscard]] std::string base64(std::string_view bytes);

/// The bytes; nothing for any text that base64() would not write.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

/// RFC 4648 section 5 without padding, as JSON web tokens have it. Nothing for any other form.
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);

} // namespace hostward::report
