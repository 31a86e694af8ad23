// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace hostward::report {

/// SHA-256 as 32 bytes; sha256_hex() of sigv4.h writes them in hex.
[[nodiscard]] std::string sha256_bytes(std::string_view bytes);

} // namespace hostward::report
