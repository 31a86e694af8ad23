// SPDX-License-Identifier: Apache-2.0
// TOML text to GuardConfig. The only file that knows the TOML library.
#include "agent/config/guard_config.h"

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "agent/base/text.h"
#include "agent/config/complaints.h"

namespace hostward::config {

namespace {

/// 2^32-1 is (uid_t)-1, "no user", to the kernel.
constexpr std::int64_t kIdMax = 4294967294;

struct Reader {
    const std::string& file;
    Complaints complaints;

    [[nodiscard]] Place place(const toml::source_region& source) const
    {
        return {file, source.begin.line, source.begin.column};
    }
    void complain(const toml::source_region& source, std::string text)
    {
        complaints.add(place(source), std::move(text));
    }
};

/// One value of the file with its full key, for messages.
struct Item {
    Reader& reader;
    std::string key;
    const toml::node& node;

    void complain(const std::string& text) const { reader.complain(node.source(), key + " " + text); }
};

/// A key of a table and what reads it into T.
template <typename T> struct Field {
    std::string_view key;
    bool required;
    void (*read)(const Item& item, T& out);
};

std::string type_text(const toml::node& node)
{
    switch (node.type()) {
    case toml::node_type::none: return "nothing";
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "an array";
    case toml::node_type::string: return "a string";
    case toml::node_type::integer: return "an integer";
    case toml::node_type::floating_point: return "a floating-point number";
    case toml::node_type::boolean: return "a boolean";
    case toml::node_type::date: return "a date";
    case toml::node_type::time: return "a time";
    case toml::node_type::date_time: return "a date and time";
    }
    return "of an unknown type";
}

template <typename T>
void read_table(const Item& item, const toml::table& table, std::span<const Field<T>> fields, T& out)
{
    const std::string prefix = item.key.empty() ? "" : item.key + ".";
    for (const auto& [key, node] : table) {
        const std::string_view name = key.str();
        const auto field = std::ranges::find(fields, name, &Field<T>::key);
        if (field != fields.end()) {
            field->read(Item{item.reader, prefix + std::string(name), node}, out);
            continue;
        }
        std::vector<std::string> allowed;
        std::ranges::transform(fields, std::back_inserter(allowed), [](const auto& f) { return std::string(f.key); });
        item.reader.complain(key.source(), "unknown key " + quote(prefix + std::string(name)) + ": allowed are " +
                                               quoted_list(allowed));
    }
    for (const auto& field : fields) {
        if (field.required && !table.contains(field.key)) {
            item.reader.complain(table.source(), prefix + std::string(field.key) + " is missing");
        }
    }
}

/// The string, or a complaint.
std::optional<std::string> read_string(const Item& item)
{
    if (const auto* text = item.node.as_string()) {
        return text->get();
    }
    item.complain("is " + type_text(item.node) + ": allowed is a string");
    return std::nullopt;
}

template <typename Value> using Choice = std::pair<const char*, Value>;

template <typename Value, std::size_t size>
void read_choice(const Item& item, const std::array<Choice<Value>, size>& choices, Value& out)
{
    std::vector<std::string> allowed;
    for (const auto& choice : choices) {
        allowed.emplace_back(choice.first);
    }
    const auto* text = item.node.as_string();
    if (text == nullptr) {
        item.complain("is " + type_text(item.node) + ": allowed are " + quoted_list(allowed));
        return;
    }
    const auto found = std::ranges::find(choices, text->get(), &Choice<Value>::first);
    if (found == choices.end()) {
        item.complain("is " + quote(text->get()) + ": allowed are " + quoted_list(allowed));
        return;
    }
    out = found->second;
}

constexpr std::array<Choice<Mode>, 2> kModes{{{"enforce", Mode::Enforce}, {"audit", Mode::Audit}}};
constexpr std::array<Choice<Action>, 2> kActions{{{"deny", Action::Deny}, {"allow", Action::Allow}}};
constexpr std::array<Choice<bool>, 2> kSeals{{{"off", false}, {"until-reboot", true}}};
constexpr std::array<Choice<Scope>, 3> kScopes{
    {{"host", Scope::Host}, {"container", Scope::Container}, {"any", Scope::Any}}};

/// Whether a list may hold numbers (uid, gid) beside strings.
enum class Numbers { Refused, Allowed };

std::optional<std::string> read_element(const Item& item, Numbers numbers)
{
    const auto* number = item.node.as_integer();
    if (numbers == Numbers::Refused || number == nullptr) {
        if (numbers == Numbers::Allowed && !item.node.is_string()) {
            item.complain("is " + type_text(item.node) + ": allowed are names and numbers");
            return std::nullopt;
        }
        return read_string(item);
    }
    if (number->get() < 0 || number->get() > kIdMax) {
        item.complain("is " + std::to_string(number->get()) + ": allowed are 0 to " + std::to_string(kIdMax));
        return std::nullopt;
    }
    return std::to_string(number->get());
}

void read_list(const Item& item, Numbers numbers, std::vector<At<std::string>>& out)
{
    const auto* array = item.node.as_array();
    if (array == nullptr) {
        item.complain("is " + type_text(item.node) + ": allowed is an array of strings" +
                      (numbers == Numbers::Allowed ? " or numbers" : ""));
        return;
    }
    // An empty condition would read as "nobody" to one person and as "anybody" to another.
    if (array->empty()) {
        item.complain("is empty: write at least one value or leave the key out");
    }
    for (const auto& element : *array) {
        if (auto text = read_element(Item{item.reader, "a value of " + item.key, element}, numbers)) {
            out.push_back({std::move(*text), item.reader.place(element.source())});
        }
    }
}

template <std::vector<At<std::string>> Rule::*member, Numbers numbers> void read_rule_list(const Item& item, Rule& out)
{
    read_list(item, numbers, out.*member);
}

void read_rule_endpoint(const Item& item, Rule& out)
{
    if (item.node.is_array()) {
        read_list(item, Numbers::Refused, out.endpoints);
    } else if (const auto* name = item.node.as_string()) {
        out.endpoints.push_back({name->get(), item.reader.place(item.node.source())});
    } else {
        item.complain("is " + type_text(item.node) + ": allowed is a string or an array of strings");
    }
}

template <typename T> void read_name(const Item& item, T& out) { out.name = read_string(item).value_or(""); }

constexpr std::array<Field<Rule>, 9> kRuleFields{{
    {"name", true, read_name<Rule>},
    {"action", true, [](const Item& item, Rule& out) { read_choice(item, kActions, out.action); }},
    {"user", false, read_rule_list<&Rule::users, Numbers::Allowed>},
    {"group", false, read_rule_list<&Rule::groups, Numbers::Allowed>},
    {"exe", false, read_rule_list<&Rule::exes, Numbers::Refused>},
    {"unit", false, read_rule_list<&Rule::units, Numbers::Refused>},
    {"cgroup", false, read_rule_list<&Rule::cgroups, Numbers::Refused>},
    {"scope", false, [](const Item& item, Rule& out) { read_choice(item, kScopes, out.scope); }},
    {"endpoint", false, read_rule_endpoint},
}};

constexpr std::array<Field<Endpoint>, 3> kEndpointFields{{
    {"name", true, read_name<Endpoint>},
    {"addresses", true, [](const Item& item, Endpoint& out) { read_list(item, Numbers::Refused, out.addresses); }},
    {"default", false, [](const Item& item, Endpoint& out) { read_choice(item, kActions, out.default_action); }},
}};

/// `[[guard.rule]]` and its like: an array of nothing but tables.
template <typename T> void read_tables(const Item& item, std::span<const Field<T>> fields, std::vector<T>& out)
{
    const auto* array = item.node.as_array();
    if (array == nullptr) {
        item.complain("is " + type_text(item.node) + ": allowed are tables, each begun with [[" + item.key + "]]");
        return;
    }
    if (array->empty()) {
        item.complain("is empty: write at least one [[" + item.key + "]] or leave the key out");
    }
    for (const auto& element : *array) {
        const Item one{item.reader, item.key, element};
        if (const auto* table = element.as_table()) {
            T& added = out.emplace_back();
            added.place = item.reader.place(table->source());
            read_table<T>(one, *table, fields, added);
        } else {
            one.complain("holds " + type_text(element) + ": allowed are tables, each begun with [[" + item.key + "]]");
        }
    }
}

constexpr std::array<Field<GuardConfig>, 6> kGuardFields{{
    {"mode", false, [](const Item& item, GuardConfig& out) { read_choice(item, kModes, out.mode); }},
    {"forwarded", false, [](const Item& item, GuardConfig& out) { read_choice(item, kActions, out.forwarded); }},
    {"bypass_sockets", false,
     [](const Item& item, GuardConfig& out) { read_choice(item, kActions, out.bypass_sockets); }},
    {"seal", false, [](const Item& item, GuardConfig& out) { read_choice(item, kSeals, out.seal_until_reboot); }},
    {"endpoint", false,
     [](const Item& item, GuardConfig& out) { read_tables<Endpoint>(item, kEndpointFields, out.endpoints); }},
    {"rule", false, [](const Item& item, GuardConfig& out) { read_tables<Rule>(item, kRuleFields, out.rules); }},
}};

void read_guard(const Item& item, GuardConfig& out)
{
    if (const auto* table = item.node.as_table()) {
        read_table<GuardConfig>(item, *table, kGuardFields, out);
    } else {
        item.complain("is " + type_text(item.node) + ": allowed is a table, begun with [guard]");
    }
}

constexpr std::array<Field<GuardConfig>, 1> kTopFields{{{"guard", false, read_guard}}};

} // namespace

Result<GuardConfig> parse(std::string_view toml, const std::string& file)
{
    Reader reader{file, {}};
    const toml::parse_result parsed = toml::parse(toml);
    if (parsed.failed()) {
        reader.complain(parsed.error().source(), "not TOML: " + escape(parsed.error().description()));
        return reader.complaints.error();
    }
    GuardConfig config;
    read_table<GuardConfig>(Item{reader, "", parsed.table()}, parsed.table(), kTopFields, config);
    if (!reader.complaints.empty()) {
        return reader.complaints.error();
    }
    if (config.endpoints.empty()) {
        config.endpoints = default_endpoints();
    }
    return config;
}

} // namespace hostward::config
