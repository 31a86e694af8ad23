// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

namespace hostward::report {

/// Bytes that nobody can guess, of the kernel's generator (getrandom(2), which cannot fail for these sizes).
void fill_random(unsigned char* bytes, std::size_t size);

inline constexpr std::size_t kNonceBytes = 16;
/// 32 hex digits.
[[nodiscard]] std::string make_nonce();

} // namespace hostward::report
