// SPDX-License-Identifier: Apache-2.0
// Secrets in text that should not have any. What is found is described, never shown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct Secret {
    std::string what;       ///< `long-lived AWS key AKIA...WXYZ with its secret`, `a value for db_password`
    std::uint32_t line = 0; ///< from 1
};

/// Findings beyond are not looked for: one is enough.
inline constexpr std::size_t kSecretsMax = 50;

/// Ids of long-lived AWS keys (`AKIA...`) with a secret of 40 characters within ten lines. Those of documentation
/// (EXAMPLE) do not count.
[[nodiscard]] std::vector<Secret> find_aws_keys(std::string_view text);

/// That, and: private keys, tokens of known forms, passwords in URLs, values assigned to names that end in password,
/// secret, token or key, and cloud-config's passwords. Hashes, variables, references to a store and comments do not
/// count. Parts of MIME messages in base64 are looked into.
[[nodiscard]] std::vector<Secret> find_secrets(std::string_view text);

} // namespace hostward::hardening
