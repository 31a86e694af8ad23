// SPDX-License-Identifier: Apache-2.0
// limits.conf(5): limits that pam_limits sets at login.
#pragma once

#include "hardening/models/facts.h"
#include "hardening/models/lines.h"

#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct LimitLine {
    std::string domain; ///< `*`, a user, `@group`, ...
    std::string type;   ///< `soft`, `hard` or `-` for both
    std::string item;   ///< lower case, as pam_limits compares
    std::string value;
    Origin where;

    [[nodiscard]] bool sets_hard() const { return type == "hard" || type == "-"; }
};

[[nodiscard]] std::vector<LimitLine> parse_limits(std::string_view text, const std::string& file);

struct Limits {
    std::vector<LimitLine> lines; ///< limits.conf, then limits.d/*.conf; of equal domains the last counts

    [[nodiscard]] static Result<Limits> read(Facts& facts);
};

} // namespace hostward::hardening
