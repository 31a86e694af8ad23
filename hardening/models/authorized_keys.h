// SPDX-License-Identifier: Apache-2.0
// Keys with which sshd lets users in: the files that AuthorizedKeysFile names, of every user. sshd(8).
#pragma once

#include "agent/base/result.h"
#include "hardening/models/facts.h"
#include "hardening/models/lines.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct AuthorizedKey {
    Origin origin;
    std::string options; ///< as written
    std::string type;    ///< `ssh-ed25519`
    std::string blob;    ///< in base64: the key itself
    int bits = 0;        ///< of RSA and DSA; 0 for others
    std::string comment;
};

/// Nothing for blank lines, comments, and lines in which sshd finds no key.
[[nodiscard]] std::optional<AuthorizedKey> parse_authorized_key(std::string_view line, Origin origin);

struct AuthorizedKeysFile {
    std::string user;
    std::uint32_t uid = 0;
    std::string home;
    std::string path;
    std::vector<AuthorizedKey> keys;
    std::vector<Origin> unusable; ///< lines that are no key
};

struct AuthorizedKeys {
    static Result<AuthorizedKeys> read(Facts& facts);

    std::vector<AuthorizedKeysFile> files; ///< those that are there
    std::vector<std::string> unknown;      ///< what could not be looked at, in words
};

} // namespace hostward::hardening
