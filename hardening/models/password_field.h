// SPDX-License-Identifier: Apache-2.0
// What the password field of passwd(5) and shadow(5) says. The hash itself is never kept.
#pragma once

#include <string>
#include <string_view>

namespace hostward::hardening {

enum class PasswordState {
    Empty,      ///< nothing: whoever asks for a password accepts none
    Usable,     ///< a hash that crypt(3) knows
    LockedHash, ///< `!` before a hash: locked, the password comes back with one character less
    Locked,     ///< `!`, `!!`, `!*`, ...: locked, no hash behind it
    Unusable,   ///< `*`, `x` or anything that no password matches
};

struct PasswordField {
    PasswordState state = PasswordState::Unusable;
    std::string scheme;       ///< of the hash: yescrypt, sha512, ..., des; empty where there is none
    bool is_shadowed = false; ///< exactly `x`, which in passwd(5) points at shadow(5)
};

[[nodiscard]] PasswordField parse_password_field(std::string_view field);

/// For evidence: "a yescrypt hash", "locked", ...
[[nodiscard]] std::string describe(const PasswordField& field);

} // namespace hostward::hardening
