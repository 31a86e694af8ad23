// SPDX-License-Identifier: Apache-2.0
// Which program looks after the kernel's packet filter, and the rules that it has there.
#pragma once

#include "agent/base/result.h"
#include "hardening/models/facts.h"
#include "hardening/models/packet_filter.h"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

enum class FrontEnd { Nftables, Iptables, Ufw, Firewalld };
[[nodiscard]] const char* front_end_name(FrontEnd front_end);

struct FirewallChoice {
    static Result<FirewallChoice> read(Facts& facts);

    std::set<FrontEnd> in_use; ///< switched on for the next boot, or running
    /// Those in use; where none is, the one that would be: by what is installed, else nftables.
    std::set<FrontEnd> chosen;

    [[nodiscard]] std::string text() const; ///< for people
};

/// The kernel's rules now, or those of the next boot.
struct FilterSource {
    std::string when;  ///< `now`, `at the next boot`
    std::string where; ///< a command or a file
    Result<FilterRules> rules;
};

/// All that this host can tell of the rules of a front end; an error within says why one cannot be told.
[[nodiscard]] std::vector<FilterSource> filter_sources(Facts& facts, FrontEnd front_end);

/// Whether the host has IPv6: an image has it unless its configuration takes it away.
[[nodiscard]] Result<bool> has_ipv6(Facts& facts);

} // namespace hostward::hardening
