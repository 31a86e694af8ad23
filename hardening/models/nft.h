// SPDX-License-Identifier: Apache-2.0
// nftables: the rules that the kernel has, and those that nftables.service loads at boot.
#pragma once

#include "agent/base/result.h"
#include "hardening/models/facts.h"
#include "hardening/models/nft_rule_text.h"
#include "hardening/models/packet_filter.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

/// What nft lists. Unsupported: an image. NotFound: no nft to ask, and nothing else shows the kernel's rules.
struct RunningNft {
    static Result<RunningNft> read(Facts& facts);

    FilterRules rules;
};

/// What `nft -f` makes of the file that nftables.service gives it, on a host without rules.
struct BootNft {
    static Result<BootNft> read(Facts& facts);

    std::string file; ///< empty: there is none
    FilterRules rules;
};

/// The JSON of `nft -j list ruleset`.
[[nodiscard]] Result<FilterRules> parse_nft_json(std::string_view text);

/// What becomes of an `include "PATTERN"`: called at its place.
using NftInclude = std::function<void(const std::string& pattern)>;

/// Adds the text of one file, as `nft -f` does. `out.doubt` tells what was not understood and may matter.
void parse_nft_text(std::string_view text, const std::string& file, FilterRules& out, NftNames& names,
                    const NftInclude& include);

/// accept, drop, jump, ...; nothing: no statement that decides.
[[nodiscard]] std::optional<FilterAction> nft_action(std::string_view word);
/// ACCEPT, REJECT, LOG, ...; nothing: a chain, or a target that we do not know.
[[nodiscard]] std::optional<FilterAction> iptables_action(std::string_view target);

} // namespace hostward::hardening
