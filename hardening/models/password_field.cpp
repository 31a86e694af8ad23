// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/password_field.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

struct Scheme {
    std::string_view prefix;
    std::string_view name;
};
// crypt(5), the longer prefix first.
constexpr std::array kSchemes{
    Scheme{"$gy$", "gost-yescrypt"}, Scheme{"$y$", "yescrypt"}, Scheme{"$7$", "scrypt"},  Scheme{"$2a$", "bcrypt"},
    Scheme{"$2b$", "bcrypt"},        Scheme{"$2x$", "bcrypt"},  Scheme{"$2y$", "bcrypt"}, Scheme{"$6$", "sha512"},
    Scheme{"$5$", "sha256"},         Scheme{"$sha1", "sha1"},   Scheme{"$md5", "sunmd5"}, Scheme{"$1$", "md5"},
    Scheme{"$3$", "nthash"},
};
constexpr std::size_t kDesLength = 13;
constexpr std::size_t kBigDesMin = 20; // `_`, four of rounds, four of salt, eleven of hash

bool is_base64(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '/';
    });
}

std::string_view scheme_of(std::string_view field)
{
    for (const auto& scheme : kSchemes) {
        if (field.starts_with(scheme.prefix)) {
            // A salt alone ("$6$") is no hash: there is another `$` before it.
            return field.find('$', scheme.prefix.size()) == field.npos ? std::string_view{} : scheme.name;
        }
    }
    if (field.size() == kDesLength && is_base64(field)) {
        return "des";
    }
    if (field.size() >= kBigDesMin && field[0] == '_' && is_base64(field.substr(1))) {
        return "bsdi-des";
    }
    return {};
}

} // namespace

PasswordField parse_password_field(std::string_view field)
{
    using enum PasswordState;
    if (field.empty()) {
        return {Empty, "", false};
    }
    const auto behind_locks = field.substr(std::min(field.find_first_not_of('!'), field.size()));
    const std::string scheme(scheme_of(behind_locks));
    if (field[0] == '!') {
        return {scheme.empty() ? Locked : LockedHash, scheme, false};
    }
    return {scheme.empty() ? Unusable : Usable, scheme, field == "x"};
}

std::string describe(const PasswordField& field)
{
    switch (field.state) {
    case PasswordState::Empty: return "an empty password field";
    case PasswordState::Usable: return "a " + field.scheme + " hash";
    case PasswordState::LockedHash: return "locked, with a " + field.scheme + " hash";
    case PasswordState::Locked: return "locked";
    case PasswordState::Unusable: return field.is_shadowed ? "x (see shadow)" : "no usable password";
    }
    return "";
}

} // namespace hostward::hardening
