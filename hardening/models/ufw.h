// SPDX-License-Identifier: Apache-2.0
// ufw: its switch, its defaults and the rules that its start-up loads from its files: ufw-framework(8).
#pragma once

#include "agent/base/result.h"
#include "hardening/models/facts.h"
#include "hardening/models/packet_filter.h"

#include <string>

namespace hostward::hardening {

struct Ufw {
    static Result<Ufw> read(Facts& facts);

    bool is_there = false;   ///< its configuration is
    bool is_enabled = false; ///< ENABLED of ufw.conf
    bool has_ipv6 = false;
    Origin enabled_where;
    FilterRules rules; ///< of a start, with the chains that ufw makes itself
};

/// Chains of ufw in the kernel that packets come through: it is on, whatever its files say.
[[nodiscard]] bool is_ufw_loaded(const FilterRules& running);

} // namespace hostward::hardening
