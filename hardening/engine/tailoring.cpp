// SPDX-License-Identifier: Apache-2.0
#include "hardening/engine/tailoring.h"

#include "agent/base/text.h"
#include "agent/config/toml_reader.h"
#include "hardening/engine/parse.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace hostward::hardening {

namespace {

using config::Complaints;
using config::read_line;
using config::TomlField;
using config::TomlItem;
using config::TomlNode;

constexpr std::size_t kLineMax = 500;
constexpr std::size_t kDateSize = 10; // YYYY-MM-DD

struct Setting {
    std::string rule;
    std::string parameter;
    std::optional<Value> value;
    Place place;
};

constexpr std::array<TomlField<Setting>, 3> kSettingFields{{
    {"rule", true, [](const TomlItem& item, Setting& out) { out.rule = read_line(item, kLineMax).value_or(""); }},
    {"parameter", true,
     [](const TomlItem& item, Setting& out) { out.parameter = read_line(item, kLineMax).value_or(""); }},
    {"value", true,
     [](const TomlItem& item, Setting& out) { out.value = read_value(item.node, item.key, item.complaints); }},
}};

void read_expiry(const TomlItem& item, Waiver& out)
{
    out.expires = read_line(item, kLineMax).value_or("");
    const auto end = end_of_day(out.expires);
    if (!end) {
        item.complain("is " + quote(out.expires) + ": allowed is a day, \"YYYY-MM-DD\"");
    }
    out.ends_s = end.value_or(0);
}

constexpr std::array<TomlField<Waiver>, 4> kWaiverFields{{
    {"rule", true, [](const TomlItem& item, Waiver& out) { out.rule = read_line(item, kLineMax).value_or(""); }},
    {"reason", true, [](const TomlItem& item, Waiver& out) { out.reason = read_line(item, kLineMax).value_or(""); }},
    {"owner", true, [](const TomlItem& item, Waiver& out) { out.owner = read_line(item, kLineMax).value_or(""); }},
    {"expires", false, read_expiry},
}};

struct File {
    std::vector<Setting> settings;
    std::vector<Waiver> waivers;
};

constexpr std::array<TomlField<File>, 2> kFileFields{{
    {"set", false,
     [](const TomlItem& item, File& out) { config::read_tables<Setting>(item, kSettingFields, out.settings); }},
    {"waiver", false,
     [](const TomlItem& item, File& out) { config::read_tables<Waiver>(item, kWaiverFields, out.waivers); }},
}};

/// Each alone, so that a complaint is about the line that is wrong.
void apply(const Setting& setting, const Library& library, Tailoring& out, Complaints& complaints)
{
    const Rule* rule = library.rule(setting.rule);
    if (rule == nullptr) {
        complaints.add(setting.place, "there is no rule " + quote(setting.rule));
        return;
    }
    if (setting.value) {
        check_parameters(*rule, {{setting.parameter, *setting.value}}, setting.place, complaints);
        out.values[setting.rule].insert_or_assign(setting.parameter, *setting.value);
    }
}

/// A value as the default's type, or nothing.
std::optional<Value> value_like(const Value& example, std::string_view text)
{
    if (std::holds_alternative<std::int64_t>(example)) {
        const auto number = parse_number<std::int64_t>(text);
        return number ? std::optional<Value>(*number) : std::nullopt;
    }
    if (std::holds_alternative<bool>(example)) {
        return text == "true" || text == "false" ? std::optional<Value>(text == "true") : std::nullopt;
    }
    if (std::holds_alternative<std::string>(example)) {
        return Value(std::string(text));
    }
    std::vector<std::string> list;
    for (const auto part : split(text, ',')) {
        list.emplace_back(part);
    }
    return Value(std::move(list));
}

} // namespace

std::optional<std::int64_t> end_of_day(std::string_view date)
{
    const auto year = parse_number<int>(date.substr(0, std::min<std::size_t>(date.size(), 4)));
    if (date.size() != kDateSize || date[4] != '-' || date[7] != '-' || !year) {
        return std::nullopt;
    }
    const auto month = parse_number<unsigned>(date.substr(5, 2));
    const auto day = parse_number<unsigned>(date.substr(8, 2));
    if (!month || !day) {
        return std::nullopt;
    }
    const std::chrono::year_month_day when{std::chrono::year(*year), std::chrono::month(*month),
                                           std::chrono::day(*day)};
    if (!when.ok()) {
        return std::nullopt;
    }
    const auto next = std::chrono::sys_days(when) + std::chrono::days(1);
    return std::chrono::duration_cast<std::chrono::seconds>(next.time_since_epoch()).count();
}

Result<Tailoring> parse_tailoring(std::string_view toml, const std::string& file, const Library& library)
{
    TRY_ASSIGN(const TomlNode top, config::parse_toml(toml, file));
    Complaints complaints;
    File raw;
    config::read_table<File>(TomlItem{complaints, "", top}, kFileFields, raw);
    Tailoring out;
    for (const auto& setting : raw.settings) {
        apply(setting, library, out, complaints);
    }
    for (auto& waiver : raw.waivers) {
        const Place place = waiver.place;
        const std::string rule = waiver.rule;
        if (!out.waivers.emplace(rule, std::move(waiver)).second) {
            complaints.add(place, "a second waiver for " + quote(rule));
        }
    }
    if (!complaints.empty()) {
        return complaints.error();
    }
    return out;
}

Status add_setting(std::string_view text, const Library& library, Tailoring& tailoring)
{
    const auto equals = text.find('=');
    const auto dot = text.substr(0, equals).find('.');
    if (equals == text.npos || dot == text.npos) {
        return invalid_error("--set " + quote(text) + ": allowed is RULE.PARAMETER=VALUE");
    }
    const std::string id(text.substr(0, dot));
    const std::string name(text.substr(dot + 1, equals - dot - 1));
    const Rule* rule = library.rule(id);
    if (rule == nullptr) {
        return invalid_error("--set " + quote(text) + ": there is no rule " + quote(id));
    }
    const auto parameter = std::ranges::find(rule->parameters, name, &Parameter::name);
    if (parameter == rule->parameters.end()) {
        return invalid_error("--set " + quote(text) + ": the rule has no parameter " + quote(name));
    }
    const auto value = value_like(parameter->value, text.substr(equals + 1));
    if (!value) {
        return invalid_error("--set " + quote(text) + ": allowed is a value like " + value_text(parameter->value));
    }
    Complaints complaints;
    check_parameters(*rule, {{name, *value}}, Place{"--set", 0, 0}, complaints);
    if (!complaints.empty()) {
        return complaints.error().in("--set " + quote(text));
    }
    tailoring.values[id].insert_or_assign(name, *value);
    return success();
}

} // namespace hostward::hardening
