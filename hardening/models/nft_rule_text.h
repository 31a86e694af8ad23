// SPDX-License-Identifier: Apache-2.0
// One rule of nft's text form.
#pragma once

#include "hardening/models/nft_tokens.h"
#include "hardening/models/packet_filter.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace hostward::hardening {

inline constexpr std::size_t kRuleWordsMax = 20'000;

/// Values with a name: `$NAME` by define, `@NAME` by a set.
class NftNames {
public:
    void define(const std::string& name, std::vector<NftToken> values);
    void extend(const std::string& name, const std::vector<NftToken>& values);
    void forget(const std::string& name) { open_.insert(name); } ///< what it holds is not in the text
    [[nodiscard]] const std::vector<NftToken>* find(const std::string& name) const;

private:
    std::map<std::string, std::vector<NftToken>> values_;
    std::set<std::string> open_;
};

/// Several, where a `vmap` says what becomes of each value.
[[nodiscard]] std::vector<FilterRule> parse_nft_rule(const std::vector<NftToken>& words, const NftNames& names,
                                                     const Origin& where);

} // namespace hostward::hardening
