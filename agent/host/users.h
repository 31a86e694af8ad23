// SPDX-License-Identifier: Apache-2.0
// Local accounts, read from the files themselves. Never through the name service: early in the boot it may wait
// for a directory that needs the network, and the guard must not. Directory users are written as numbers.
#pragma once

#include "agent/base/result.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace hostward::host {

/// Names and ids of one file. The first line with a name or an id counts, as for getpwnam(3) and getpwuid(3).
struct Accounts {
    std::map<std::string, std::uint32_t, std::less<>> id_of;
    std::map<std::uint32_t, std::string> name_of;
    std::size_t skipped_lines = 0; ///< malformed, or of the old +/- inclusion syntax
};

/// Parses passwd(5) or group(5): both start with NAME:PASSWORD:ID. `fields_min` is what a line must have.
inline constexpr std::size_t kPasswdFieldsMin = 4;
inline constexpr std::size_t kGroupFieldsMin = 3;
[[nodiscard]] Accounts parse_accounts(std::string_view text, std::size_t fields_min);

/// Larger account files are an error.
inline constexpr std::size_t kAccountFileBytesMax = 64U << 20;

struct Users {
    Accounts users;
    Accounts groups;

    [[nodiscard]] std::optional<std::uint32_t> user(std::string_view name) const;
    [[nodiscard]] std::optional<std::uint32_t> group(std::string_view name) const;

    /// Reads etc/passwd and etc/group below `root`; symlinks cannot lead out of it. A file that does not exist
    /// has no accounts.
    [[nodiscard]] static Result<Users> read(const std::string& root = "/");
};

} // namespace hostward::host
