// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/nft_rule_text.h"

#include "hardening/models/nft.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

struct Action {
    std::string_view word;
    FilterAction action;
};
constexpr std::array kActions{
    Action{"accept", FilterAction::Accept},     Action{"drop", FilterAction::Drop},
    Action{"reject", FilterAction::Drop},       Action{"return", FilterAction::Return},
    Action{"jump", FilterAction::Jump},         Action{"goto", FilterAction::Goto},
    Action{"queue", FilterAction::Unknown},     Action{"synproxy", FilterAction::Unknown},
    Action{"tproxy", FilterAction::Unknown},    Action{"fwd", FilterAction::Unknown},
    Action{"dnat", FilterAction::Accept},       Action{"snat", FilterAction::Accept},
    Action{"masquerade", FilterAction::Accept}, Action{"redirect", FilterAction::Accept},
};
constexpr std::array<std::string_view, 4> kInterfaces{"iif", "iifname", "oif", "oifname"};
constexpr std::array<std::string_view, 14> kHeaders{"ip",   "ip6",  "tcp", "udp",  "th",      "icmp", "icmpv6",
                                                    "sctp", "dccp", "ct",  "meta", "udplite", "ah",   "esp"};
constexpr std::array<std::string_view, 8> kComparisons{"==", "!=", "<", ">", "<=", ">=", "=", "!"};

class RuleParser {
public:
    RuleParser(const std::vector<NftToken>& words, const NftNames& names, const Origin& where)
        : words_(words), names_(names)
    {
        rule_.where = where;
        for (const auto& word : words) {
            rule_.text += (rule_.text.empty() ? "" : " ") + word.text;
        }
    }

    std::vector<FilterRule> read()
    {
        while (at_ < words_.size() && !is_ended_) {
            statement();
        }
        if (made_.empty()) {
            made_.push_back(std::move(rule_));
        }
        return std::move(made_);
    }

private:
    [[nodiscard]] bool is(std::string_view word) const { return at_ < words_.size() && words_[at_].is(word); }
    bool take(std::string_view word)
    {
        const bool fits = is(word);
        at_ += fits ? 1 : 0;
        return fits;
    }
    std::string next() { return at_ < words_.size() ? words_[at_++].text : std::string(); }

    void statement()
    {
        const auto& word = words_[at_];
        if (!word.is_quoted && decide(rule_)) {
            is_ended_ = true;
        } else if (take("counter")) {
            skip_pairs({"packets", "bytes", "name"});
        } else if (take("log")) {
            skip_pairs({"prefix", "level", "group", "snaplen", "queue-threshold", "flags"});
        } else if (take("comment")) {
            (void)next();
        } else if (take("limit")) {
            limit();
        } else if (!word.is_quoted && is_question()) {
            question();
        } else {
            ++at_;
            rule_.rest = FilterRule::Rest::Unknown;
        }
    }

    /// `accept`, `jump CHAIN`, ...
    bool decide(FilterRule& rule)
    {
        const auto action = nft_action(words_[at_].text);
        if (!action) {
            return false;
        }
        ++at_;
        rule.action = *action;
        if (*action == FilterAction::Jump || *action == FilterAction::Goto) {
            rule.target = next();
        }
        return true;
    }

    void skip_pairs(std::initializer_list<std::string_view> keys)
    {
        while (at_ < words_.size() && !words_[at_].is_quoted &&
               std::ranges::find(keys, words_[at_].text) != keys.end()) {
            const bool is_flags = is("flags");
            at_ += 2;
            while (is_flags && take(",")) {
                ++at_;
            }
        }
    }

    /// `limit rate over 5/second burst 10 packets`
    void limit()
    {
        (void)take("rate");
        add_condition(rule_, "limit rate", "==", {take("over") ? "over" : "until"});
        (void)next();
        while (at_ + 1 < words_.size() && (is("bytes") || is("kbytes") || is("mbytes") || is("burst") ||
                                           is("packets") || is("/") || is("second"))) {
            at_ += is("burst") ? 2U : 1U;
        }
        (void)(take("packets") || take("bytes") || take("kbytes") || take("mbytes")); // none is fine
    }

    [[nodiscard]] bool is_question() const
    {
        const std::string& word = words_[at_].text;
        return std::ranges::find(kInterfaces, word) != kInterfaces.end() ||
               (std::ranges::find(kHeaders, word) != kHeaders.end() && at_ + 1 < words_.size());
    }

    void question()
    {
        std::string key = next();
        if (std::ranges::find(kInterfaces, key) == kInterfaces.end()) {
            key += " " + next();
        }
        if (key == "meta mark" && is("set")) {
            at_ += 2;
            return;
        }
        if (take("vmap")) {
            return map(key);
        }
        std::string comparison = "==";
        if (at_ < words_.size() && std::ranges::find(kComparisons, words_[at_].text) != kComparisons.end()) {
            const std::string written = next();
            comparison = written == "=" ? "==" : (written == "!" ? "!=" : written);
        }
        const auto values = read_values();
        add_condition(rule_, key, comparison, values.value_or(std::vector<std::string>{}));
    }

    using Values = std::optional<std::vector<std::string>>;

    /// One value, a list `a,b` or all between braces.
    Values read_values()
    {
        std::vector<NftToken> taken;
        if (is("{")) {
            const auto first = at_;
            skip_braces();
            taken.assign(words_.begin() + static_cast<std::ptrdiff_t>(first),
                         words_.begin() + static_cast<std::ptrdiff_t>(at_));
        } else {
            do {
                if (at_ < words_.size()) {
                    taken.push_back(words_[at_++]);
                }
            } while (take(","));
        }
        std::vector<std::string> found;
        return resolve(taken, found, 0) ? Values(std::move(found)) : std::nullopt;
    }

    void skip_braces()
    {
        int depth = 0;
        do {
            depth += is("{") ? 1 : (is("}") ? -1 : 0);
            ++at_;
        } while (at_ < words_.size() && depth > 0);
    }

    bool resolve(const std::vector<NftToken>& tokens, std::vector<std::string>& out, int depth) const
    {
        constexpr int kNestingMax = 8;
        if (depth > kNestingMax || out.size() > kRuleWordsMax) {
            return false;
        }
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            const auto& token = tokens[i];
            if (token.is("{") || token.is("}") || token.is(",") || token.is(";")) {
                continue;
            }
            if (!token.is_quoted && (token.text.starts_with('@') || token.text.starts_with('$'))) {
                const auto* named = names_.find(token.text);
                if (named == nullptr || !resolve(*named, out, depth + 1)) {
                    return false;
                }
            } else if (token.is("timeout") || token.is("expires") || token.is(".") || token.is("|") || token.is("&")) {
                return false;
            } else if (token.is("comment") || token.is("counter")) {
                i += token.is("comment") ? 1U : 0U;
            } else {
                out.push_back(token.text);
            }
        }
        return true;
    }

    /// `vmap { VALUE : VERDICT, ... }`
    void map(const std::string& key)
    {
        is_ended_ = true;
        if (!take("{")) {
            rule_.rest = FilterRule::Rest::Unknown;
            rule_.action = FilterAction::Unknown;
            return;
        }
        while (at_ < words_.size() && !take("}")) {
            if (take(",") || take(";")) {
                continue;
            }
            FilterRule one = rule_;
            const auto values = read_values();
            add_condition(one, key, "==", values.value_or(std::vector<std::string>{}));
            if (!take(":") || at_ >= words_.size() || !decide(one)) {
                one.rest = FilterRule::Rest::Unknown;
                one.action = FilterAction::Unknown;
            }
            made_.push_back(std::move(one));
        }
    }

    const std::vector<NftToken>& words_;
    const NftNames& names_;
    std::size_t at_ = 0;
    bool is_ended_ = false;
    FilterRule rule_;
    std::vector<FilterRule> made_;
};

} // namespace

std::optional<FilterAction> nft_action(std::string_view word)
{
    const auto* known = std::ranges::find(kActions, word, &Action::word);
    return known == kActions.end() ? std::nullopt : std::optional(known->action);
}

void NftNames::define(const std::string& name, std::vector<NftToken> values) { values_[name] = std::move(values); }

void NftNames::extend(const std::string& name, const std::vector<NftToken>& values)
{
    auto& known = values_[name];
    known.insert(known.end(), values.begin(), values.end());
}

const std::vector<NftToken>* NftNames::find(const std::string& name) const
{
    const auto at = values_.find(name);
    return at == values_.end() || open_.contains(name) ? nullptr : &at->second;
}

std::vector<FilterRule> parse_nft_rule(const std::vector<NftToken>& words, const NftNames& names, const Origin& where)
{
    return RuleParser(words, names, where).read();
}

} // namespace hostward::hardening
