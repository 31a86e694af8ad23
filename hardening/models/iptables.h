// SPDX-License-Identifier: Apache-2.0
// iptables and ip6tables: what their save programs print is what their restore programs read.
#pragma once

#include "agent/base/result.h"
#include "hardening/models/facts.h"
#include "hardening/models/packet_filter.h"

#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

/// Both kinds of rules that a kernel can have for them: nft's and the legacy ones.
struct RunningIptables {
    static Result<RunningIptables> read(Facts& facts);

    FilterRules rules; ///< families ip and ip6
};

/// What netfilter-persistent or iptables.service loads at boot.
struct BootIptables {
    static Result<BootIptables> read(Facts& facts);

    std::vector<std::string> files; ///< that were there
    FilterRules rules;
};

/// Adds a file in the format of iptables-save(8) as `iptables-restore --noflush` does. `family`: ip or ip6.
/// `where`: the file's name for evidence. `suffix`: of the names of tables, to keep two sorts of rules apart.
void parse_iptables(std::string_view text, const std::string& where, const std::string& family, FilterRules& out,
                    const std::string& suffix = "");

} // namespace hostward::hardening
