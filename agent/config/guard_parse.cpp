// SPDX-License-Identifier: Apache-2.0
// TOML text to ConfigFile.
#include "agent/config/config_file.h"

#include "agent/base/text.h"
#include "agent/config/toml_reader.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace hostward::config {

namespace {

/// 2^32-1 is (uid_t)-1, "no user", to the kernel.
constexpr std::int64_t kIdMax = 4294967294;
constexpr std::size_t kWhyMax = 500;

using Item = TomlItem;
template <typename T> using Field = TomlField<T>;

/// As read_choice, for a setting that other files may have too.
template <typename Value, std::size_t size>
void read_setting(const Item& item, const std::array<Choice<Value>, size>& choices, std::optional<At<Value>>& out)
{
    out.emplace(At<Value>{{}, item.node.place});
    read_choice(item, choices, out->value);
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
    if (numbers == Numbers::Refused || !item.node.is(TomlNode::Type::Integer)) {
        if (numbers == Numbers::Allowed && !item.node.is(TomlNode::Type::Text)) {
            item.complain("is " + item.node.type_text + ": allowed are names and numbers");
            return std::nullopt;
        }
        return read_string(item);
    }
    const std::int64_t number = item.node.integer;
    if (number < 0 || number > kIdMax) {
        item.complain("is " + std::to_string(number) + ": allowed are 0 to " + std::to_string(kIdMax));
        return std::nullopt;
    }
    return std::to_string(number);
}

void read_list(const Item& item, Numbers numbers, std::vector<At<std::string>>& out)
{
    if (!item.node.is(TomlNode::Type::Array)) {
        item.complain("is " + item.node.type_text + ": allowed is an array of strings" +
                      (numbers == Numbers::Allowed ? " or numbers" : ""));
        return;
    }
    // An empty condition would read as "nobody" to one person and as "anybody" to another.
    if (item.node.elements.empty()) {
        item.complain("is empty: write at least one value or leave the key out");
    }
    for (const auto& element : item.node.elements) {
        if (auto text = read_element(Item{item.complaints, "a value of " + item.key, element}, numbers)) {
            out.push_back({std::move(*text), element.place});
        }
    }
}

template <std::vector<At<std::string>> Rule::*member, Numbers numbers> void read_rule_list(const Item& item, Rule& out)
{
    read_list(item, numbers, out.*member);
}

void read_rule_endpoint(const Item& item, Rule& out)
{
    if (item.node.is(TomlNode::Type::Array)) {
        read_list(item, Numbers::Refused, out.endpoints);
    } else if (item.node.is(TomlNode::Type::Text)) {
        out.endpoints.push_back({item.node.text, item.node.place});
    } else {
        item.complain("is " + item.node.type_text + ": allowed is a string or an array of strings");
    }
}

template <typename T> void read_name(const Item& item, T& out) { out.name = read_string(item).value_or(""); }

void read_why(const Item& item, Rule& out) { out.why = read_line(item, kWhyMax).value_or(""); }

constexpr std::array<Field<Rule>, 10> kRuleFields{{
    {"name", true, read_name<Rule>},
    {"action", true, [](const Item& item, Rule& out) { read_choice(item, kActions, out.action); }},
    {"user", false, read_rule_list<&Rule::users, Numbers::Allowed>},
    {"group", false, read_rule_list<&Rule::groups, Numbers::Allowed>},
    {"exe", false, read_rule_list<&Rule::exes, Numbers::Refused>},
    {"unit", false, read_rule_list<&Rule::units, Numbers::Refused>},
    {"cgroup", false, read_rule_list<&Rule::cgroups, Numbers::Refused>},
    {"scope", false, [](const Item& item, Rule& out) { read_choice(item, kScopes, out.scope); }},
    {"endpoint", false, read_rule_endpoint},
    {"why", false, read_why},
}};

constexpr std::array<Field<Endpoint>, 3> kEndpointFields{{
    {"name", true, read_name<Endpoint>},
    {"addresses", true, [](const Item& item, Endpoint& out) { read_list(item, Numbers::Refused, out.addresses); }},
    {"default", false, [](const Item& item, Endpoint& out) { read_choice(item, kActions, out.default_action); }},
}};

constexpr std::string_view kPresetPrefix = "preset:";

bool is_preset_name(std::string_view name)
{
    const auto is_allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
    return !name.empty() && name.size() <= kPresetNameMax && std::ranges::all_of(name, is_allowed);
}

void read_includes(const Item& item, ConfigFile& out)
{
    std::vector<At<std::string>> written;
    read_list(item, Numbers::Refused, written);
    for (const auto& [text, place] : written) {
        const std::string_view name = std::string_view(text).substr(std::min(text.size(), kPresetPrefix.size()));
        if (text.starts_with(kPresetPrefix) && is_preset_name(name)) {
            out.includes.push_back({std::string(name), place});
        } else {
            item.complaints.add(place, "a value of " + item.key + " is " + quote(text) +
                                           ": allowed is \"preset:NAME\", NAME 1 to " + std::to_string(kPresetNameMax) +
                                           " of a-z, 0-9 and -");
        }
    }
}

/// "" is allowed: a drop-in takes a file away with it.
void read_metrics_file(const Item& item, ConfigFile& out)
{
    const auto path = read_string(item);
    if (!path) {
        return;
    }
    const auto name = path->substr(path->rfind('/') + 1);
    const bool control = std::ranges::any_of(*path, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    if (!path->empty() && (!path->starts_with('/') || control || !name.ends_with(".prom") || name.starts_with('.'))) {
        item.complain("is " + quote(*path) + ": allowed is an absolute path that ends in .prom");
    }
    out.metrics_file.emplace(At<std::string>{*path, item.node.place});
}

constexpr std::array<Field<ConfigFile>, 8> kGuardFields{{
    {"mode", false, [](const Item& item, ConfigFile& out) { read_setting(item, kModes, out.mode); }},
    {"forwarded", false, [](const Item& item, ConfigFile& out) { read_setting(item, kActions, out.forwarded); }},
    {"bypass_sockets", false,
     [](const Item& item, ConfigFile& out) { read_setting(item, kActions, out.bypass_sockets); }},
    {"seal", false, [](const Item& item, ConfigFile& out) { read_setting(item, kSeals, out.seal_until_reboot); }},
    {"metrics_file", false, read_metrics_file},
    {"endpoint", false,
     [](const Item& item, ConfigFile& out) { read_tables<Endpoint>(item, kEndpointFields, out.endpoints); }},
    {"include", false, read_includes},
    {"rule", false, [](const Item& item, ConfigFile& out) { read_tables<Rule>(item, kRuleFields, out.rules); }},
}};
/// A preset has the last of these.
constexpr std::size_t kPresetFields = 2;

void read_guard(const Item& item, ConfigFile& out, FileKind kind)
{
    const std::span<const Field<ConfigFile>> all = kGuardFields;
    if (item.node.is(TomlNode::Type::Table)) {
        read_table<ConfigFile>(item, kind == FileKind::Preset ? all.last(kPresetFields) : all, out);
    } else {
        item.complain("is " + item.node.type_text + ": allowed is a table, begun with [guard]");
    }
}

constexpr std::array<Field<ConfigFile>, 1> kTopFields{
    {{"guard", false, [](const Item& item, ConfigFile& out) { read_guard(item, out, FileKind::Policy); }}}};
constexpr std::array<Field<ConfigFile>, 1> kPresetTopFields{
    {{"guard", false, [](const Item& item, ConfigFile& out) { read_guard(item, out, FileKind::Preset); }}}};

} // namespace

Result<ConfigFile> parse_file(std::string_view toml, const std::string& file, FileKind kind)
{
    TRY_ASSIGN(const TomlNode top, parse_toml(toml, file));
    Complaints complaints;
    ConfigFile out;
    out.file = file;
    read_table<ConfigFile>(Item{complaints, "", top}, kind == FileKind::Preset ? kPresetTopFields : kTopFields, out);
    if (!complaints.empty()) {
        return complaints.error();
    }
    return out;
}

Result<GuardConfig> parse(std::string_view toml, const std::string& file)
{
    TRY_ASSIGN(ConfigFile content, parse_file(toml, file));
    if (!content.includes.empty()) {
        Complaints errors;
        errors.add(content.includes.front().place, "include is not possible here: this text is read on its own");
        return errors.error();
    }
    return merge({std::move(content)}, {});
}

} // namespace hostward::config
