// SPDX-License-Identifier: Apache-2.0
// The form of a proof's parts: what stands in signed headers has no second spelling.
#pragma once

#include "agent/report/proof.h"

namespace hostward::report {

inline constexpr std::size_t kAudienceBytesMax = 256;
inline constexpr std::size_t kNonceBytesMax = 128;
inline constexpr std::size_t kStsHeadersMax = 16;
inline constexpr std::size_t kStsHeaderBytesMax = 8192; ///< a session token has some 1,500
inline constexpr std::size_t kUrlBytesMax = 512;
inline constexpr std::size_t kTokenBytesMax = 16384;
inline constexpr std::size_t kDocumentBytesMax = 16384;
inline constexpr std::size_t kNoteBytesMax = 1024;

/// Invalid: an audience, nonce or hash that is missing or of another form, or a part beyond its bound.
[[nodiscard]] Status check_form(const ProofParts& parts);

/// `[0-9a-f]{64}`
[[nodiscard]] bool is_sha256(std::string_view text);

} // namespace hostward::report
