// SPDX-License-Identifier: Apache-2.0
// apt.conf(5): /etc/apt/apt.conf.d in the order of names, then /etc/apt/apt.conf. What comes later wins.
#pragma once

#include "agent/base/result.h"
#include "hardening/models/facts.h"
#include "hardening/models/lines.h"

#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct AptSetting {
    std::string name; ///< lower case: `apt::periodic::unattended-upgrade`
    std::string value;
    Origin origin;
};

struct AptConfig {
    static Result<AptConfig> read(Facts& facts);

    /// Null: nothing sets it. Case does not matter.
    [[nodiscard]] const AptSetting* find(std::string_view name) const;

    std::vector<AptSetting> settings; ///< in order
};

/// Adds the settings of one file: `A::B "v";`, `A { B "v"; };`, three kinds of comments. List items (`A:: "v";`) have
/// the name of the list with `::` at its end. Invalid: braces or quotes that do not fit.
[[nodiscard]] Status parse_apt_config(std::string_view text, const std::string& file, AptConfig& out);

} // namespace hostward::hardening
