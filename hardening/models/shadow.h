// SPDX-License-Identifier: Apache-2.0
// /etc/shadow and /etc/gshadow as the C library reads them, without any hash.
#pragma once

#include "agent/base/result.h"
#include "hardening/models/facts.h"
#include "hardening/models/lines.h"
#include "hardening/models/password_field.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

inline constexpr std::int64_t kNotSet = -1; ///< an empty field, and what `-1` says

/// Days; kNotSet where the field is empty.
struct ShadowEntry {
    Origin origin;
    std::string name;
    PasswordField password;
    std::int64_t changed_day = kNotSet; ///< since 1970; 0: must be changed at the next login
    std::int64_t min_days = kNotSet;
    std::int64_t max_days = kNotSet;
    std::int64_t warn_days = kNotSet;
    std::int64_t inactive_days = kNotSet;
    std::int64_t expire_day = kNotSet; ///< since 1970
};

struct Shadow {
    bool is_there = false;
    std::vector<ShadowEntry> entries;
    std::vector<Origin> compat;
    std::vector<Origin> unusable;
    static Result<Shadow> read(Facts& facts);
    [[nodiscard]] const ShadowEntry* find(std::string_view name) const;
};

struct GroupShadowEntry {
    Origin origin;
    std::string name;
    PasswordField password;
    std::vector<std::string> administrators;
    std::vector<std::string> members;
};

struct GroupShadow {
    bool is_there = false;
    std::vector<GroupShadowEntry> entries;
    static Result<GroupShadow> read(Facts& facts);
};

[[nodiscard]] Shadow parse_shadow(std::string_view text, const std::string& file);
[[nodiscard]] GroupShadow parse_group_shadow(std::string_view text, const std::string& file);

} // namespace hostward::hardening
