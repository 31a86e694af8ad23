// SPDX-License-Identifier: Apache-2.0
// nft(8)'s text form, as far as the checks ask: tables, chains, and in rules the words that packet_condition.cpp knows.
// A rule with other words is one that may match or not.
#include "hardening/models/nft.h"

#include "agent/base/text.h"
#include "hardening/models/nft_rule_text.h"
#include "hardening/models/nft_tokens.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array<std::string_view, 6> kFamilies{"ip", "ip6", "inet", "arp", "bridge", "netdev"};

struct Named {
    std::string_view name;
    int priority;
};
constexpr std::array kPriorities{Named{"raw", -300}, Named{"mangle", -150}, Named{"dstnat", -100},
                                 Named{"filter", 0}, Named{"security", 50}, Named{"srcnat", 100}};

class Parser {
public:
    Parser(const std::string& file, FilterRules& out, NftNames& names, const NftInclude& include)
        : file_(file), out_(out), names_(names), include_(include)
    {
    }

    void read(std::string_view text)
    {
        tokens_ = nft_tokens(text);
        while (at_ < tokens_.size()) {
            if (!take(";") && !take("}")) {
                command();
            }
        }
    }

private:
    [[nodiscard]] bool is(std::string_view word) const { return at_ < tokens_.size() && tokens_[at_].is(word); }
    bool take(std::string_view word)
    {
        const bool fits = is(word);
        at_ += fits ? 1 : 0;
        return fits;
    }
    std::string next() { return at_ < tokens_.size() ? tokens_[at_++].text : std::string(); }
    [[nodiscard]] Origin here() const { return {file_, at_ < tokens_.size() ? tokens_[at_].line : 0}; }

    void skip_line()
    {
        while (at_ < tokens_.size() && !is(";") && !is("}")) {
            if (is("{")) {
                skip_block();
            } else {
                ++at_;
            }
        }
    }

    /// From `{` to behind its `}`.
    void skip_block()
    {
        int depth = 0;
        while (at_ < tokens_.size()) {
            depth += is("{") ? 1 : (is("}") ? -1 : 0);
            ++at_;
            if (depth <= 0) {
                return;
            }
        }
    }

    void doubt(const Origin& where, const std::string& what)
    {
        if (out_.doubt.empty()) {
            out_.doubt = where.text() + ": " + what;
        }
    }

    std::string family()
    {
        const bool is_named =
            at_ < tokens_.size() && std::ranges::find(kFamilies, tokens_[at_].text) != kFamilies.end();
        return is_named ? next() : "ip";
    }

    void command()
    {
        const Origin where = here();
        if (take("include")) {
            include_(next());
        } else if (take("define") || take("redefine")) {
            define();
        } else if (take("table")) {
            table();
        } else if (take("flush") && (is("ruleset") || is("chain") || is("table"))) {
            flush();
        } else if (take("add") || take("create") || take("insert")) {
            add(tokens_[at_ - 1].text == "insert");
        } else if (take("delete") || take("destroy")) {
            remove(where);
        } else {
            doubt(where, "not a command that we know: " + next());
        }
        skip_line();
    }

    void define()
    {
        const std::string name = next();
        if (take("=")) {
            names_.define("$" + name, values());
        }
    }

    /// The tokens of one value: a word, or all between braces.
    std::vector<NftToken> values()
    {
        std::vector<NftToken> found;
        const auto first = at_;
        skip_line();
        found.assign(tokens_.begin() + static_cast<std::ptrdiff_t>(first),
                     tokens_.begin() + static_cast<std::ptrdiff_t>(at_));
        return found;
    }

    /// `flush ruleset` forgets all; a flushed table keeps its chains, without rules.
    void flush()
    {
        const std::string what = next();
        const std::string of = what == "ruleset" && (is(";") || at_ >= tokens_.size()) ? "" : family();
        const std::string table = what == "ruleset" ? "" : next();
        const std::string chain = what == "chain" ? next() : "";
        if (what == "ruleset" && of.empty()) {
            out_ = FilterRules{};
            return;
        }
        for (auto& one : out_.chains) {
            if (one.family == of && (what == "ruleset" || one.table == table) && (chain.empty() || one.name == chain)) {
                one.rules.clear();
            }
        }
    }

    /// Removing what was never there before this file is how files begin; anything else we do not follow.
    void remove(const Origin& where)
    {
        const std::string what = next();
        const std::string of = family();
        const std::string name = next();
        if (what != "table") {
            return doubt(where, "takes something away again");
        }
        const bool has_chains = std::ranges::any_of(
            out_.chains, [&](const FilterChain& chain) { return chain.family == of && chain.table == name; });
        if (has_chains) {
            return doubt(where, "takes a table away again");
        }
        std::erase_if(out_.tables, [&](const FilterTable& known) { return known.family == of && known.name == name; });
    }

    void add(bool is_insert)
    {
        if (take("table")) {
            return table();
        }
        const std::string kind = is("chain") || is("rule") || is("set") || is("element") || is("map") ? next() : "rule";
        const std::string of = family();
        const std::string table = next();
        const std::string name = next();
        if (kind == "chain") {
            chain(of, table, name);
        } else if (kind == "set" || kind == "map") {
            set(name);
        } else if (kind == "element") {
            names_.extend("@" + name, values());
        } else {
            rule(chain_of(of, table, name), is_insert);
        }
    }

    void table()
    {
        const Origin where = here();
        const std::string of = family();
        const std::string name = next();
        const auto is_known = std::ranges::any_of(
            out_.tables, [&](const FilterTable& table) { return table.family == of && table.name == name; });
        if (!is_known) {
            out_.tables.push_back({of, name, where});
        }
        if (!take("{")) {
            return;
        }
        while (at_ < tokens_.size() && !take("}")) {
            table_item(of, name);
        }
    }

    void table_item(const std::string& of, const std::string& table)
    {
        const Origin where = here();
        if (take(";")) {
            return;
        }
        if (take("chain")) {
            const std::string name = next();
            chain(of, table, name);
        } else if (take("set") || take("map")) {
            const std::string name = next();
            set(name);
        } else if (take("define")) {
            define();
        } else if (take("flags") && is("dormant")) {
            doubt(where, "a table that sleeps");
            skip_line();
        } else if (is("include")) {
            doubt(where, "an include within a table");
            skip_line();
        } else {
            ++at_; // a counter, a flow table, a comment
            skip_line();
        }
    }

    FilterChain& chain_of(const std::string& of, const std::string& table, const std::string& name)
    {
        FilterChain chain;
        chain.family = of;
        chain.table = table;
        chain.name = name;
        chain.where = here();
        return out_.add(std::move(chain));
    }

    void chain(const std::string& of, const std::string& table, const std::string& name)
    {
        FilterChain& made = chain_of(of, table, name);
        if (!take("{")) {
            return;
        }
        while (at_ < tokens_.size() && !take("}")) {
            if (take(";")) {
                continue;
            }
            if (is("type")) {
                made.where = here();
                base(made);
            } else if (take("policy")) {
                made.drops = next() == "drop";
            } else if (is("include")) {
                doubt(here(), "an include within a chain");
                skip_line();
            } else if (is("comment") || is("flags") || is("devices") || is("device")) {
                skip_line();
            } else {
                rule(made, false);
            }
        }
    }

    /// `type filter hook input priority 0; policy drop;`
    void base(FilterChain& chain)
    {
        while (at_ < tokens_.size() && !is(";") && !is("}")) {
            if (take("type")) {
                chain.type = next();
            } else if (take("hook")) {
                chain.hook = hook_of(next());
            } else if (take("priority")) {
                chain.priority = priority();
            } else {
                ++at_;
            }
        }
    }

    /// `filter + 10`, `-5`, `raw`.
    int priority()
    {
        int sum = 0;
        int sign = 1;
        while (at_ < tokens_.size() && !is(";") && !is("}")) {
            const std::string word = next();
            const auto* named = std::ranges::find(kPriorities, word, &Named::name);
            if (named != kPriorities.end()) {
                sum += named->priority;
            } else if (word == "+" || word == "-") {
                sign = word == "-" ? -1 : 1;
            } else {
                sum += sign * parse_number<short>(word).value_or(0);
            }
        }
        return sum;
    }

    void set(const std::string& name)
    {
        if (!take("{")) {
            return;
        }
        std::vector<NftToken> elements;
        while (at_ < tokens_.size() && !take("}")) {
            if (take(";")) {
                continue;
            }
            if (take("elements")) {
                (void)take("=");
                elements = values();
            } else if (is("flags")) {
                const auto flags = values();
                const bool is_open = std::ranges::any_of(
                    flags, [](const NftToken& flag) { return flag.text == "dynamic" || flag.text == "timeout"; });
                if (is_open) {
                    names_.forget("@" + name);
                }
            } else {
                ++at_;
                skip_line();
                (void)take(";");
            }
        }
        names_.define("@" + name, std::move(elements));
    }

    void rule(FilterChain& chain, bool is_insert)
    {
        const Origin where = here();
        const auto words = values();
        const bool is_sized = words.size() <= kRuleWordsMax;
        if (words.empty() || !is_sized) {
            at_ += words.empty() && !is(";") ? 1U : 0U;
            return is_sized ? void() : doubt(where, "a rule of more words than we read");
        }
        auto rules = parse_nft_rule(words, names_, where);
        chain.rules.insert(is_insert ? chain.rules.begin() : chain.rules.end(), std::make_move_iterator(rules.begin()),
                           std::make_move_iterator(rules.end()));
    }

    const std::string& file_;
    FilterRules& out_;
    NftNames& names_;
    const NftInclude& include_;
    std::vector<NftToken> tokens_;
    std::size_t at_ = 0;
};

} // namespace

void parse_nft_text(std::string_view text, const std::string& file, FilterRules& out, NftNames& names,
                    const NftInclude& include)
{
    Parser(file, out, names, include).read(text);
}

} // namespace hostward::hardening
