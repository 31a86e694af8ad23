// SPDX-License-Identifier: Apache-2.0
// JSON web tokens of sts:GetWebIdentityToken, checked with the issuer's published keys.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html
#pragma once

#include "agent/report/refusal.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hostward::report {

struct TokenRules {
    std::string jwks;   ///< the issuer's key set, JSON
    std::string issuer; ///< empty: any, the keys say whose it is
    std::string audience;
    std::string nonce;
    std::string report_sha256;
    std::int64_t now_s = 0;
    std::int64_t max_age_s = 0; ///< since it was issued
};

struct TokenFacts {
    std::string issuer;
    std::string account_id;
    std::string region;      ///< where STS was asked; empty: not said
    std::string instance_id; ///< empty: the token names no instance
    std::int64_t issued_s = 0;
    std::int64_t expires_s = 0;
};

/// The JSON texts of a token's head and claims, its signature, and what was signed.
struct TokenParts {
    std::string head;
    std::string claims;
    std::string signature;
    std::string_view signed_text; ///< of the token
};
[[nodiscard]] std::optional<TokenParts> split_token(std::string_view token);

/// Codes: token-form, token-key, token-signature, token-claims, token-time.
[[nodiscard]] Checked<TokenFacts> verify_token(std::string_view token, const TokenRules& rules);

/// The part that needs no clock and no expectations: `alg` RS256 or ES384, the key of that id, the signature.
[[nodiscard]] Check check_token_signature(const TokenParts& parts, std::string_view jwks);

} // namespace hostward::report
