// SPDX-License-Identifier: Apache-2.0
// Rules as iptables-save(8) prints them.
#include "hardening/models/iptables.h"
#include "hardening/models/nft.h"
#include "hardening/models/shell_assignments.h"

#include "agent/base/text.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

struct BuiltIn {
    std::string_view table;
    std::string_view chain;
    FilterHook hook;
    int priority;
};
constexpr std::array kBuiltIn{
    BuiltIn{"raw", "PREROUTING", FilterHook::Prerouting, -300},
    BuiltIn{"raw", "OUTPUT", FilterHook::Output, -300},
    BuiltIn{"mangle", "PREROUTING", FilterHook::Prerouting, -150},
    BuiltIn{"mangle", "INPUT", FilterHook::Input, -150},
    BuiltIn{"mangle", "FORWARD", FilterHook::Forward, -150},
    BuiltIn{"mangle", "OUTPUT", FilterHook::Output, -150},
    BuiltIn{"mangle", "POSTROUTING", FilterHook::Postrouting, -150},
    BuiltIn{"nat", "PREROUTING", FilterHook::Prerouting, -100},
    BuiltIn{"nat", "INPUT", FilterHook::Input, 100},
    BuiltIn{"nat", "OUTPUT", FilterHook::Output, -100},
    BuiltIn{"nat", "POSTROUTING", FilterHook::Postrouting, 100},
    BuiltIn{"filter", "INPUT", FilterHook::Input, 0},
    BuiltIn{"filter", "FORWARD", FilterHook::Forward, 0},
    BuiltIn{"filter", "OUTPUT", FilterHook::Output, 0},
    BuiltIn{"security", "INPUT", FilterHook::Input, 50},
    BuiltIn{"security", "FORWARD", FilterHook::Forward, 50},
    BuiltIn{"security", "OUTPUT", FilterHook::Output, 50},
};

struct Target {
    std::string_view name;
    FilterAction action;
};
constexpr std::array kTargets{
    Target{"ACCEPT", FilterAction::Accept},   Target{"DROP", FilterAction::Drop},
    Target{"REJECT", FilterAction::Drop},     Target{"RETURN", FilterAction::Return},
    Target{"LOG", FilterAction::Continue},    Target{"NFLOG", FilterAction::Continue},
    Target{"ULOG", FilterAction::Continue},   Target{"AUDIT", FilterAction::Continue},
    Target{"MARK", FilterAction::Continue},   Target{"CONNMARK", FilterAction::Continue},
    Target{"CT", FilterAction::Continue},     Target{"NOTRACK", FilterAction::Continue},
    Target{"TCPMSS", FilterAction::Continue}, Target{"CHECKSUM", FilterAction::Continue},
    Target{"TRACE", FilterAction::Continue},  Target{"DSCP", FilterAction::Continue},
    Target{"TOS", FilterAction::Continue},    Target{"CLASSIFY", FilterAction::Continue},
    Target{"SET", FilterAction::Continue},    Target{"TTL", FilterAction::Continue},
    Target{"HL", FilterAction::Continue},     Target{"DNAT", FilterAction::Accept},
    Target{"SNAT", FilterAction::Accept},     Target{"MASQUERADE", FilterAction::Accept},
    Target{"REDIRECT", FilterAction::Accept}, Target{"NETMAP", FilterAction::Accept},
    Target{"QUEUE", FilterAction::Unknown},   Target{"NFQUEUE", FilterAction::Unknown},
    Target{"TPROXY", FilterAction::Unknown},  Target{"SYNPROXY", FilterAction::Unknown},
};

/// An option that asks something: how nft would ask it.
struct Question {
    std::string_view option;
    std::string_view key; ///< `$` stands for ip or ip6, `@` for the rule's protocol
};
constexpr std::array kQuestions{
    Question{"-i", "iifname"},
    Question{"--in-interface", "iifname"},
    Question{"-o", "oifname"},
    Question{"--out-interface", "oifname"},
    Question{"-s", "$ saddr"},
    Question{"--source", "$ saddr"},
    Question{"--src", "$ saddr"},
    Question{"--src-range", "$ saddr"},
    Question{"-d", "$ daddr"},
    Question{"--destination", "$ daddr"},
    Question{"--dst", "$ daddr"},
    Question{"--dst-range", "$ daddr"},
    Question{"-p", "meta l4proto"},
    Question{"--protocol", "meta l4proto"},
    Question{"--dport", "@ dport"},
    Question{"--destination-port", "@ dport"},
    Question{"--dports", "@ dport"},
    Question{"--destination-ports", "@ dport"},
    Question{"--sport", "@ sport"},
    Question{"--source-port", "@ sport"},
    Question{"--sports", "@ sport"},
    Question{"--source-ports", "@ sport"},
    Question{"--state", "ct state"},
    Question{"--ctstate", "ct state"},
    Question{"--icmp-type", "icmp type"},
    Question{"--icmpv6-type", "icmpv6 type"},
    Question{"--limit", "limit rate"},
    Question{"--dst-type", "fib type"},
    Question{"--src-type", "fib type"},
    Question{"--pkt-type", "meta pkttype"},
    Question{"--tcp-flags", "tcp flags"},
    Question{"--syn", ""},
    Question{"--comment", ""},
    Question{"--log-prefix", ""},
    Question{"--limit-burst", ""},
    Question{"--hl-eq", "ip6 hoplimit"},
    Question{"--rt-type", "rt type"},
};
/// Modules whose options are all in the list above, or that ask nothing by themselves.
constexpr std::array<std::string_view, 20> kModules{
    "rt",        "tcp",   "udp",     "udplite",   "sctp",    "dccp",     "icmp", "icmp6",   "icmpv6",   "state",
    "conntrack", "limit", "comment", "multiport", "iprange", "addrtype", "hl",   "pkttype", "standard", "ipv6-icmp"};

class RuleReader {
public:
    RuleReader(const std::vector<std::string>& words, const std::string& family, FilterRule& out)
        : words_(words), family_(family), out_(out)
    {
    }

    /// Words from `at` on: `-i lo -j ACCEPT`.
    void read(std::size_t at)
    {
        protocol_ = protocol(at);
        while (at < words_.size()) {
            bool is_negated = words_[at] == "!";
            at += is_negated ? 1 : 0;
            if (at < words_.size()) {
                const std::string option = words_[at++];
                const auto values = arguments(option, at, is_negated);
                read_option(option, is_negated, values);
            }
        }
    }

private:
    /// Up to the next option. `-i ! lo` is the old way to write `! -i lo`.
    std::vector<std::string> arguments(std::string_view option, std::size_t& at, bool& is_negated) const
    {
        std::vector<std::string> values;
        if (at + 1 < words_.size() && words_[at] == "!" && !words_[at + 1].starts_with('-')) {
            is_negated = true;
            ++at;
        }
        // What an option needs is its value, whatever it looks like: `--comment "-j DROP"`.
        const auto* known = std::ranges::find(kQuestions, option, &Question::option);
        if (known != kQuestions.end() && option != "--syn" && at < words_.size()) {
            values.push_back(words_[at++]);
        }
        while (at < words_.size() && words_[at] != "!" && !is_option(words_[at])) {
            values.push_back(words_[at++]);
        }
        return values;
    }

    static bool is_option(std::string_view word) { return word.size() > 1 && word[0] == '-'; }

    std::string protocol(std::size_t at) const
    {
        for (; at + 1 < words_.size(); ++at) {
            if (words_[at] == "-p" || words_[at] == "--protocol") {
                return words_[at - 1] == "!" ? "th" : words_[at + 1];
            }
        }
        return "th";
    }

    void read_option(const std::string& option, bool is_negated, const std::vector<std::string>& values)
    {
        if (option == "-j" || option == "--jump" || option == "-g" || option == "--goto") {
            return read_target(option.find('g') == 1 || option == "--goto", values);
        }
        if (option == "-m" || option == "--match") {
            for (const auto& module : values) {
                if (std::ranges::find(kModules, module) == kModules.end()) {
                    out_.rest = FilterRule::Rest::Unknown;
                }
            }
            return;
        }
        const auto* known = std::ranges::find(kQuestions, option, &Question::option);
        if (known == kQuestions.end()) {
            // What comes after the target belongs to it: `-j REJECT --reject-with tcp-reset`.
            out_.rest = has_target_ ? out_.rest : FilterRule::Rest::Unknown;
        } else if (!known->key.empty()) {
            ask(*known, is_negated, values);
        } else if (option == "--syn" && is_negated) {
            out_.is_never = true; // a new connection of TCP begins with it
        } else if (option == "--syn") {
            add_condition(out_, "meta l4proto", "==", {"tcp"});
        }
    }

    void ask(const Question& question, bool is_negated, const std::vector<std::string>& values)
    {
        std::string key(question.key);
        if (key[0] == '$') {
            key.replace(0, 1, family_);
        } else if (key[0] == '@') {
            key.replace(0, 1, protocol_ == "all" || protocol_ == "0" ? "th" : protocol_);
        }
        std::vector<std::string> parts;
        for (const auto& value : values) {
            for (const auto part : split(value, ',')) {
                parts.push_back(as_nft(key, std::string(part)));
            }
        }
        if (key == "meta l4proto" && parts == std::vector<std::string>{"all"} && !is_negated) {
            return;
        }
        add_condition(out_, key, is_negated ? "!=" : "==", parts);
    }

    static std::string as_nft(const std::string& key, std::string value)
    {
        if (key.ends_with("ifname") && value.ends_with('+')) {
            value.back() = '*';
        } else if (key.ends_with("port")) {
            const auto colon = value.find(':');
            if (colon != std::string::npos) {
                value[colon] = '-';
                value = (colon == 0 ? "0" : "") + value + (value.ends_with('-') ? "65535" : "");
            }
        }
        return key == "ct state" || key == "meta l4proto" ? lower(value) : value;
    }

    void read_target(bool is_goto, const std::vector<std::string>& values)
    {
        has_target_ = true;
        out_.target = values.empty() ? "" : values[0];
        const auto known = iptables_action(out_.target);
        out_.action = is_goto ? FilterAction::Goto : known.value_or(FilterAction::Jump);
    }

    const std::vector<std::string>& words_;
    const std::string& family_;
    FilterRule& out_;
    std::string protocol_;
    bool has_target_ = false;
};

class FileReader {
public:
    FileReader(const std::string& where, const std::string& family, FilterRules& out, const std::string& suffix)
        : where_(where), family_(family), out_(out), suffix_(suffix)
    {
    }

    void read_line(std::string_view line, std::uint32_t number)
    {
        const auto text = trimmed(line);
        if (text.empty() || text[0] == '#' || text == "COMMIT") {
            return;
        }
        const Origin where{where_, number};
        if (text[0] == '*') {
            table_ = std::string(text.substr(1)) + suffix_;
            out_.tables.push_back({family_, table_, where});
        } else if (text[0] == ':') {
            const auto parts = words(text.substr(1));
            declare(parts.empty() ? "" : std::string(parts[0]), parts.size() < 2 ? "-" : parts[1], where);
        } else {
            read_command(text, where);
        }
    }

    /// A target that is neither known nor a chain is an extension.
    void finish()
    {
        for (auto& chain : out_.chains) {
            for (auto& rule : chain.rules) {
                const bool goes = rule.action == FilterAction::Jump || rule.action == FilterAction::Goto;
                if (goes && out_.find(chain.family, chain.table, rule.target) == nullptr) {
                    rule.action = rule.target.empty() ? FilterAction::Continue : FilterAction::Unknown;
                }
            }
        }
    }

private:
    FilterChain& declare(const std::string& name, std::string_view policy, const Origin& where)
    {
        auto* chain = out_.find(family_, table_, name);
        if (chain == nullptr) {
            chain = &out_.add(made(name, where));
        }
        if (policy != "-") {
            chain->drops = policy == "DROP";
            chain->where = where;
        }
        return *chain;
    }

    FilterChain made(const std::string& name, const Origin& where) const
    {
        FilterChain chain;
        chain.family = family_;
        chain.table = table_;
        chain.name = name;
        chain.where = where;
        const auto kind = std::string_view(table_).substr(0, table_.size() - suffix_.size());
        for (const auto& known : kBuiltIn) {
            if (known.table == kind && known.chain == name) {
                chain.hook = known.hook;
                chain.priority = known.priority;
                chain.type = kind == "nat" ? "nat" : "filter";
            }
        }
        return chain;
    }

    void read_command(std::string_view text, const Origin& where)
    {
        auto parts = shell_words(text);
        if (!parts.empty() && parts[0].starts_with('[')) {
            parts.erase(parts.begin()); // counters
        }
        const std::string command = parts.empty() ? "" : parts[0];
        const std::string name = parts.size() < 2 ? "" : parts[1];
        if (command == "-A" || command == "--append" || command == "-I" || command == "--insert") {
            return add_rule(parts, command.find('I') == 1 || command == "--insert", text, where);
        }
        if (command == "-P" || command == "--policy") {
            (void)declare(name, parts.size() < 3 ? "-" : std::string_view(parts[2]), where);
        } else if (command == "-N" || command == "--new-chain") {
            (void)declare(name, "-", where);
        } else if (out_.doubt.empty()) {
            out_.doubt = where.text() + " is not a rule that we know";
        }
    }

    void add_rule(const std::vector<std::string>& parts, bool is_insert, std::string_view text, const Origin& where)
    {
        FilterRule rule;
        rule.text = std::string(text);
        rule.where = where;
        auto& chain = declare(parts.size() < 2 ? "" : parts[1], "-", where);
        const auto place = is_insert && parts.size() > 2 ? parse_number<std::size_t>(parts[2]) : std::nullopt;
        RuleReader(parts, family_, rule).read(place ? 3 : 2);
        const auto at = is_insert ? std::min(place.value_or(1) - (place.value_or(1) == 0 ? 0 : 1), chain.rules.size())
                                  : chain.rules.size();
        chain.rules.insert(chain.rules.begin() + static_cast<std::ptrdiff_t>(at), std::move(rule));
    }

    const std::string& where_;
    const std::string& family_;
    FilterRules& out_;
    const std::string& suffix_;
    std::string table_ = "filter";
};

} // namespace

std::optional<FilterAction> iptables_action(std::string_view target)
{
    const auto* known = std::ranges::find(kTargets, target, &Target::name);
    return known == kTargets.end() ? std::nullopt : std::optional(known->action);
}

void parse_iptables(std::string_view text, const std::string& where, const std::string& family, FilterRules& out,
                    const std::string& suffix)
{
    FileReader reader(where, family, out, suffix);
    for_each_line(text, [&](std::string_view line, std::uint32_t number) { reader.read_line(line, number); });
    reader.finish();
}

} // namespace hostward::hardening
