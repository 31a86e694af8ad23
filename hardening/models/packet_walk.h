// SPDX-License-Identifier: Apache-2.0
// What becomes of packets of one kind: all of them together go through the rules, split where a rule takes a part.
#pragma once

#include "agent/base/result.h"
#include "hardening/models/packet_filter.h"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace hostward::hardening {

/// Interfaces as numbers: `lo`, none, then others.
inline constexpr Wide kInterfaceLo = 0;
inline constexpr Wide kNoInterface = 1;

struct PacketKind {
    IpFamily family = IpFamily::V4;
    std::vector<FilterHook> path; ///< hooks in the order in which the packets meet them
    std::array<NumberSet, kPacketFields> fields;

    NumberSet& operator[](PacketField field) { return fields[static_cast<std::size_t>(field)]; }
};

/// New connections to this host over `lo`, or from elsewhere.
[[nodiscard]] PacketKind packets_in(IpFamily family, bool is_lo);
/// New connections of this host over `lo`.
[[nodiscard]] PacketKind packets_out_lo(IpFamily family);

struct PacketFate {
    struct Some {
        bool is_certain = false; ///< else a rule that is not understood may have decided otherwise
        std::string by;          ///< the rule or the policy
        std::string where;
    };
    std::optional<Some> accepted; ///< some of these packets
    std::optional<Some> dropped;
};

/// Exhausted: the rules split these packets too often, or call each other too deeply.
[[nodiscard]] Result<PacketFate> fate_of(const FilterRules& rules, const PacketKind& packets);

} // namespace hostward::hardening
