// SPDX-License-Identifier: Apache-2.0
// dconf's system-wide settings: the databases that a profile names, from the key files that `dconf update` compiles.
#pragma once

#include "hardening/models/facts.h"
#include "hardening/models/lines.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct DconfValue {
    std::string text; ///< GVariant text as written: `'text'`, `uint32 900`, `true`
    Origin where;
};

struct DconfDatabase {
    std::string name;                         ///< `local`
    std::map<std::string, DconfValue> values; ///< by path: `/org/gnome/desktop/session/idle-delay`
    std::map<std::string, Origin> locks;      ///< paths that users cannot change; with a `/` at the end: all below
    /// Not empty: what users get is not what the files say, because of this.
    std::string stale;
};

/// Paths of one locks file.
[[nodiscard]] std::map<std::string, Origin> parse_dconf_locks(std::string_view text, const std::string& file);

/// `system-db:NAME` lines of a profile in their order; `file-db:` is not a system database.
[[nodiscard]] std::vector<std::string> parse_dconf_profile(std::string_view text);

/// The number of `uint32 900`, `int32 5`, `900`; nothing: not a number.
[[nodiscard]] std::optional<std::int64_t> dconf_number(std::string_view text);

struct DconfProfile {
    bool is_there = false;
    std::string path;
    std::vector<DconfDatabase> databases; ///< the first that has a key gives its default

    [[nodiscard]] const DconfValue* value(const std::string& key) const; ///< null: not set
    [[nodiscard]] const Origin* lock(const std::string& key) const;      ///< null: users may change it
};

/// The profile in /etc/dconf/profile that users (`user`) or the login screen (`gdm`) have.
[[nodiscard]] Result<DconfProfile> read_dconf_profile(const host::Host& host, const std::string& name);

} // namespace hostward::hardening
