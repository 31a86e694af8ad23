// SPDX-License-Identifier: Apache-2.0
// What the primitives about a packet filter share: whose rules, of which kind of IP, now and at the next boot.
#pragma once

#include "hardening/engine/primitive.h"
#include "hardening/models/firewall.h"

#include <array>
#include <functional>
#include <string>
#include <vector>

namespace hostward::hardening {

inline constexpr std::array<std::string_view, 4> kFrontEndNames{"nftables", "iptables", "ufw", "firewalld"};
inline constexpr std::array<std::string_view, 2> kIpNames{"4", "6"};

[[nodiscard]] const char* ip_name(IpFamily family);

/// Rules of one time, for one kind of IP.
struct FilterView {
    const FilterSource& source;
    const FilterRules& rules;
    IpFamily family;

    [[nodiscard]] std::string text() const; ///< `IPv4, now`
};

/// Those of `of` that are chosen on this host.
[[nodiscard]] Result<std::vector<FrontEnd>> meant_front_ends(const Arguments& arguments, Facts& facts);

enum class Times { All, Boot };

/// All of `judge`'s outcomes together; what cannot be told of a source is one of them.
[[nodiscard]] Result<Outcome> for_each_view(const Arguments& arguments, Facts& facts,
                                            const std::function<Outcome(const FilterView&)>& judge,
                                            Times times = Times::All);

} // namespace hostward::hardening
