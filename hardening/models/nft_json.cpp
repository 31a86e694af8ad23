// SPDX-License-Identifier: Apache-2.0
// What `nft -j list ruleset` prints: libnftables-json(5).
#include "hardening/models/nft.h"

#include "agent/base/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

namespace hostward::hardening {

namespace {

using Json = nlohmann::json;
using Texts = std::optional<std::vector<std::string>>;
using SetName = std::tuple<std::string, std::string, std::string>; ///< family, table, name

constexpr int kNestingMax = 16; ///< of values within values

std::string text_at(const Json& object, const char* key)
{
    const auto at = object.is_object() ? object.find(key) : object.end();
    return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

const Json& at_or_null(const Json& object, const char* key)
{
    static const Json kNull;
    const auto at = object.is_object() ? object.find(key) : object.end();
    return object.is_object() && at != object.end() ? *at : kNull;
}

/// The only key of `{ KEY: VALUE }`, or empty.
std::string only_key(const Json& object)
{
    return object.is_object() && object.size() == 1 ? object.begin().key() : std::string();
}

class Reader {
public:
    explicit Reader(FilterRules& out) : out_(out) {}

    Status read(const Json& objects)
    {
        for (const auto& object : objects) {
            read_declaration(only_key(object), object.is_object() && !object.empty() ? *object.begin() : Json());
        }
        for (const auto& object : objects) {
            if (only_key(object) == "rule") {
                TRY(read_rule(*object.begin()));
            }
        }
        return success();
    }

private:
    void read_declaration(const std::string& kind, const Json& body)
    {
        const std::string family = text_at(body, "family");
        const std::string name = text_at(body, "name");
        if (kind == "table") {
            out_.tables.push_back({family, name, Origin{"table " + family + " " + name, 0}});
        } else if (kind == "chain") {
            read_chain(body);
        } else if (kind == "set" || kind == "map") {
            sets_[{family, text_at(body, "table"), name}] = body;
        }
    }

    void read_chain(const Json& body)
    {
        FilterChain chain;
        chain.family = text_at(body, "family");
        chain.table = text_at(body, "table");
        chain.name = text_at(body, "name");
        chain.hook = hook_of(text_at(body, "hook"));
        chain.type = text_at(body, "type");
        const auto& priority = at_or_null(body, "prio");
        chain.priority = priority.is_number_integer() ? priority.get<int>() : 0;
        chain.drops = text_at(body, "policy") == "drop";
        chain.where = Origin{"chain " + chain.text(), 0};
        (void)out_.add(std::move(chain)); // nft lists each once
    }

    Status read_rule(const Json& body)
    {
        auto* chain = out_.find(text_at(body, "family"), text_at(body, "table"), text_at(body, "chain"));
        if (chain == nullptr) {
            return invalid_error("a rule of nft's ruleset is in no chain of it");
        }
        FilterRule rule;
        const auto& handle = at_or_null(body, "handle");
        rule.where =
            Origin{"rule " + (handle.is_number_integer() ? handle.dump() : "") + " of chain " + chain->text(), 0};
        family_ = chain->family;
        table_ = chain->table;
        const auto& statements = at_or_null(body, "expr");
        for (const auto& statement : statements) {
            if (only_key(statement) == "vmap") {
                add_map(*statement.begin(), rule, *chain);
                return success();
            }
            if (read_statement(statement, rule)) {
                break;
            }
        }
        chain->rules.push_back(std::move(rule));
        return success();
    }

    /// True: nothing after it counts.
    bool read_statement(const Json& statement, FilterRule& rule)
    {
        const std::string kind = only_key(statement);
        if (kind == "match") {
            read_match(*statement.begin(), rule);
            return false;
        }
        if (kind == "limit") {
            const auto& inverted = at_or_null(*statement.begin(), "inv");
            add_condition(rule, "limit rate", "==", {inverted.is_boolean() && inverted.get<bool>() ? "over" : "until"});
            return false;
        }
        if (kind == "xt") {
            return read_xt(*statement.begin(), rule);
        }
        constexpr std::array<std::string_view, 7> kSilent{"counter", "log",  "mangle",   "comment",
                                                          "notrack", "flow", "ct helper"};
        if (std::ranges::find(kSilent, kind) != kSilent.end()) {
            return false;
        }
        if (read_action(statement, rule)) {
            return true;
        }
        rule.rest = FilterRule::Rest::Unknown; // quota, meter, ct count, set: may end the rule here
        return false;
    }

    static bool read_action(const Json& statement, FilterRule& rule)
    {
        const std::string kind = statement.is_string() ? statement.get<std::string>() : only_key(statement);
        const auto action = nft_action(kind);
        if (!action) {
            return false;
        }
        rule.action = *action;
        rule.text += (rule.text.empty() ? "" : " ") + kind;
        if (*action == FilterAction::Jump || *action == FilterAction::Goto) {
            rule.target = text_at(*statement.begin(), "target");
            rule.text += " " + rule.target;
        }
        return true;
    }

    /// Extensions of iptables that nft has no words for.
    static bool read_xt(const Json& body, FilterRule& rule)
    {
        const std::string name = text_at(body, "name");
        if (text_at(body, "type") == "target") {
            rule.action = iptables_action(name).value_or(FilterAction::Unknown);
            rule.text += (rule.text.empty() ? "" : " ") + name;
            return rule.action != FilterAction::Continue;
        }
        if (name != "comment") {
            rule.text += (rule.text.empty() ? "" : " ") + ("-m " + name);
            add_condition(rule, "xt " + name, "==", {});
        }
        return false;
    }

    void read_match(const Json& match, FilterRule& rule)
    {
        const std::string key = key_of(at_or_null(match, "left"));
        const std::string comparison = text_at(match, "op");
        const auto values = values_of(at_or_null(match, "right"));
        add(rule, key, comparison, values);
    }

    static void add(FilterRule& rule, const std::string& key, const std::string& comparison, const Texts& values)
    {
        std::string shown;
        for (const auto& value : values.value_or(std::vector<std::string>{"..."})) {
            shown += (shown.empty() ? "" : ",") + value;
        }
        rule.text += (rule.text.empty() ? "" : " ") + key +
                     (comparison == "==" || comparison == "in" ? " " : " " + comparison + " ") + shown;
        add_condition(rule, key, comparison, values.value_or(std::vector<std::string>{}));
    }

    /// `ip saddr`, `meta iifname`, ...: the words of the text form.
    static std::string key_of(const Json& left)
    {
        const std::string kind = only_key(left);
        if (kind.empty()) {
            return "?";
        }
        const Json& body = *left.begin();
        if (kind == "payload") {
            return text_at(body, "protocol") + " " + text_at(body, "field");
        }
        if (kind == "meta" || kind == "ct") {
            return kind + " " + (body.contains("dir") ? text_at(body, "dir") + " " : "") + text_at(body, "key");
        }
        if (kind == "fib") {
            return "fib " + text_at(body, "result");
        }
        const bool is_tcp_flags =
            kind == "&" && body.is_array() && !body.empty() && key_of_flat(body[0]) == "tcp flags";
        return is_tcp_flags ? "tcp flags" : "? " + kind;
    }

    static std::string key_of_flat(const Json& left)
    {
        return only_key(left) == "payload" ? text_at(*left.begin(), "protocol") + " " + text_at(*left.begin(), "field")
                                           : std::string();
    }

    Texts values_of(const Json& right)
    {
        std::vector<std::string> found;
        return collect(right, found, 0) ? Texts(std::move(found)) : std::nullopt;
    }

    bool collect(const Json& value, std::vector<std::string>& out, int depth)
    {
        if (depth > kNestingMax) {
            return false;
        }
        if (value.is_array()) {
            return std::ranges::all_of(value, [&](const Json& one) { return collect(one, out, depth + 1); });
        }
        if (value.is_string() && value.get_ref<const std::string&>().starts_with('@')) {
            return collect_set(value.get_ref<const std::string&>().substr(1), out, depth);
        }
        if (value.is_string() || value.is_number_integer()) {
            out.push_back(value.is_string() ? value.get<std::string>() : value.dump());
            return true;
        }
        return collect_object(only_key(value), value, out, depth);
    }

    bool collect_object(const std::string& kind, const Json& value, std::vector<std::string>& out, int depth)
    {
        if (kind == "set") {
            return collect(*value.begin(), out, depth + 1);
        }
        if (kind == "elem") {
            return collect(at_or_null(*value.begin(), "val"), out, depth + 1);
        }
        std::vector<std::string> ends;
        if (kind == "prefix") {
            const auto& length = at_or_null(*value.begin(), "len");
            out.push_back(text_at(*value.begin(), "addr") + "/" + (length.is_number_integer() ? length.dump() : ""));
            return true;
        }
        if (kind == "range" && value.begin()->is_array() && collect(*value.begin(), ends, depth + 1) &&
            ends.size() == 2) {
            out.push_back(ends[0] + "-" + ends[1]);
            return true;
        }
        return false;
    }

    /// What a set has now; one that packets fill or that forgets is not known.
    bool collect_set(const std::string& name, std::vector<std::string>& out, int depth)
    {
        const auto at = sets_.find({family_, table_, name});
        if (at == sets_.end()) {
            return false;
        }
        const Json& flags = at_or_null(at->second, "flags");
        for (const auto& flag : flags.is_array() ? flags : Json::array()) {
            if (flag == "dynamic" || flag == "timeout") {
                return false;
            }
        }
        const Json& elements = at_or_null(at->second, "elem");
        return elements.is_array() && collect(elements, out, depth + 1);
    }

    /// `KEY vmap { VALUE : VERDICT, ... }` as one rule for each.
    void add_map(const Json& body, const FilterRule& before, FilterChain& chain)
    {
        const Json* pairs = &at_or_null(at_or_null(body, "data"), "set");
        if (const auto& data = at_or_null(body, "data"); data.is_string()) {
            const std::string name = data.get<std::string>();
            const auto at = sets_.find({family_, table_, name.substr(name.starts_with('@') ? 1 : 0)});
            pairs = at == sets_.end() ? pairs : &at_or_null(at->second, "elem");
        }
        const std::string key = key_of(at_or_null(body, "key"));
        if (!pairs->is_array()) {
            FilterRule rule = before;
            rule.rest = FilterRule::Rest::Unknown;
            rule.action = FilterAction::Unknown;
            rule.text += " vmap";
            chain.rules.push_back(std::move(rule));
            return;
        }
        for (const auto& pair : *pairs) {
            FilterRule rule = before;
            const bool is_pair = pair.is_array() && pair.size() == 2;
            add(rule, key, "==", is_pair ? values_of(pair[0]) : std::nullopt);
            if (!is_pair || !read_action(pair[1], rule)) {
                rule.action = FilterAction::Unknown;
            }
            chain.rules.push_back(std::move(rule));
        }
    }

    FilterRules& out_;
    std::map<SetName, Json> sets_;
    std::string family_; ///< of the chain at hand
    std::string table_;
};

} // namespace

Result<FilterRules> parse_nft_json(std::string_view text)
{
    const Json document = Json::parse(text, nullptr, false);
    const Json& objects = document.is_discarded() ? document : at_or_null(document, "nftables");
    if (document.is_discarded() || !objects.is_array()) {
        return invalid_error("what nft printed is not the JSON of a ruleset");
    }
    FilterRules rules;
    TRY(Reader(rules).read(objects));
    return rules;
}

} // namespace hostward::hardening
