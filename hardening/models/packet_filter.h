// SPDX-License-Identifier: Apache-2.0
// Rules of a packet filter, whichever program wrote them: nftables and iptables both become this. What a rule asks
// that we do not know stays as such: it may match or not.
#pragma once

#include "hardening/models/lines.h"
#include "hardening/models/number_set.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

enum class IpFamily { V4, V6 };

enum class FilterHook { None, Prerouting, Input, Forward, Output, Postrouting };
[[nodiscard]] const char* hook_name(FilterHook hook);
[[nodiscard]] FilterHook hook_of(std::string_view name); ///< nft's word; None for hooks that we do not follow

enum class PacketField {
    InInterface,
    OutInterface,
    Source,
    Destination,
    Protocol,
    SourcePort,
    DestinationPort,
    State,
};
inline constexpr std::size_t kPacketFields = 8;

/// What connection tracking says of a packet: numbers of PacketField::State.
enum class PacketState { New, Established, Related, Invalid, Untracked };

/// A packet fits when its field is one of the numbers; of an interface: one of the names, `NAME*` for a prefix.
struct PacketCondition {
    PacketField field = PacketField::Protocol;
    NumberSet numbers; ///< the negation is already in them
    std::vector<std::string> names;
    bool is_negated = false;
};

enum class FilterAction {
    Continue,
    Accept,
    Drop,
    Return,
    Jump,
    Goto,
    Unknown, ///< decides, but not how: a queue to a program
};

struct FilterRule {
    /// What a rule asks beside its conditions.
    enum class Rest {
        None,
        Part,    ///< some packets of every kind and not others: a rate, a type of ICMP
        Unknown, ///< perhaps nothing, perhaps everything
    };
    std::vector<PacketCondition> conditions;
    Rest rest = Rest::None;
    bool is_never = false; ///< no new connection fits
    std::optional<IpFamily> family;
    FilterAction action = FilterAction::Continue;
    std::string target; ///< chain, of Jump and Goto
    std::string text;   ///< as written, or nearly
    Origin where;
};

struct FilterChain {
    std::string family; ///< nft's word: ip, ip6, inet, ...
    std::string table;
    std::string name;
    FilterHook hook = FilterHook::None;
    std::string type; ///< of base chains: filter, nat, route
    int priority = 0;
    bool drops = false; ///< its policy
    std::vector<FilterRule> rules;
    Origin where;

    [[nodiscard]] bool covers(IpFamily ip) const;
    [[nodiscard]] std::string text() const { return family + " " + table + " " + name; }
};

struct FilterTable {
    std::string family;
    std::string name;
    Origin where;
};

struct FilterRules {
    std::vector<FilterTable> tables;
    std::vector<FilterChain> chains;
    std::string doubt; ///< what is there beside and was not understood; empty: nothing

    /// A chain of the same name stays and is what is given back. The reference lives until the next call.
    FilterChain& add(FilterChain chain);
    [[nodiscard]] FilterChain* find(std::string_view family, std::string_view table, std::string_view name);
    [[nodiscard]] const FilterChain* find(std::string_view family, std::string_view table, std::string_view name) const;

private:
    std::map<std::string, std::size_t> places_; ///< of chains
};

/// One more condition, in nft's words: `iifname`, `ip saddr`, `tcp dport`, `ct state` and one of `==`, `!=`, `<`, `>`,
/// `<=`,
/// `>=`, `in`. Values: `22`, `80-90`, `127.0.0.0/8`, `established`; none: not understood.
void add_condition(FilterRule& rule, std::string_view key, std::string_view comparison,
                   const std::vector<std::string>& values);

/// `127.0.0.0/8`, `::1`, `10.0.0.1-10.0.0.9`, `10.0.0.0/255.0.0.0`; nothing: no address.
[[nodiscard]] std::optional<NumberSet> parse_addresses(std::string_view text, IpFamily family);

/// Whether an interface is one of `names`.
[[nodiscard]] bool names_interface(const std::vector<std::string>& names, std::string_view interface);

} // namespace hostward::hardening
