// SPDX-License-Identifier: Apache-2.0
// chrony.conf(5) with its included files.
#pragma once

#include "hardening/models/facts.h"
#include "hardening/models/lines.h"

#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct ChronyDirective {
    std::string name; ///< lower case
    std::string value;
    Origin where;
};

/// Comments begin with `!`, `;`, `#` or `%`.
[[nodiscard]] std::vector<ChronyDirective> parse_chrony(std::string_view text, const std::string& file);

/// Files within files, at most.
inline constexpr int kChronyDepthMax = 10;

struct Chrony {
    bool is_there = false; ///< a main file, /etc/chrony/chrony.conf or /etc/chrony.conf
    std::string path;
    std::vector<ChronyDirective> directives; ///< in order, of `include`, `confdir` and `sourcedir` at their place

    [[nodiscard]] const ChronyDirective* last(std::string_view name) const; ///< null: not there

    [[nodiscard]] static Result<Chrony> read(Facts& facts);
};

} // namespace hostward::hardening
