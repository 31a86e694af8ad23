// SPDX-License-Identifier: Apache-2.0
// What new accounts get: login.defs, the defaults of useradd, and the list of login shells.
#pragma once

#include "agent/base/result.h"
#include "hardening/models/facts.h"
#include "hardening/models/lines.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct Setting {
    Origin origin;
    std::string value;
};

/// login.defs: the shadow tools take the last line of a name, pam_umask and other PAM modules the first.
struct LoginDefs {
    bool is_there = false;
    std::map<std::string, std::vector<Setting>> settings; ///< in file order
    static Result<LoginDefs> read(Facts& facts);
    [[nodiscard]] const Setting* last(const std::string& name) const;
    [[nodiscard]] const Setting* first(const std::string& name) const;
    /// last() as the shadow tools read numbers (0x and a leading 0 as in C). Nothing: not set, or no number.
    [[nodiscard]] std::optional<std::int64_t> number(const std::string& name) const;
};

/// /etc/default/useradd. Absent keys have useradd's own defaults.
struct UseraddDefaults {
    bool is_there = false;
    std::map<std::string, Setting> settings; ///< the last line of a name
    static Result<UseraddDefaults> read(Facts& facts);
    /// Days from the end of a password to the lock of its account; -1: never (also useradd's own default).
    [[nodiscard]] std::int64_t inactive_days() const;
};

/// /etc/shells: what getusershell(3) returns; its own list where the file is absent.
struct Shells {
    bool is_there = false;
    std::vector<Setting> shells;
    static Result<Shells> read(Facts& facts);
    [[nodiscard]] bool has(std::string_view shell) const;
};

[[nodiscard]] LoginDefs parse_login_defs(std::string_view text, const std::string& file);
[[nodiscard]] UseraddDefaults parse_useradd_defaults(std::string_view text, const std::string& file);
[[nodiscard]] Shells parse_shells(std::string_view text, const std::string& file);

/// A whole number as strtol(3) with base 0 reads it, nothing after it.
[[nodiscard]] std::optional<std::int64_t> c_number(std::string_view text);

} // namespace hostward::hardening
