// SPDX-License-Identifier: Apache-2.0
#include "hardening/engine/parse.h"

#include "agent/base/text.h"
#include "agent/config/toml_reader.h"

#include <array>
#include <set>

namespace hostward::hardening {

namespace {

using config::Complaints;
using config::read_string;
using config::read_table;
using config::TomlField;
using config::TomlItem;
using config::TomlNode;
using Type = TomlNode::Type;

template <int Recommendation::*member> void read_level(const TomlItem& item, Recommendation& out)
{
    if (!item.node.is(Type::Integer) || item.node.integer < 1 || item.node.integer > 2) {
        item.complain("allows 1 and 2");
        return;
    }
    out.*member = static_cast<int>(item.node.integer);
}

void read_values(const TomlItem& item, Recommendation& out)
{
    if (!item.node.is(Type::Table)) {
        item.complain("is " + item.node.type_text + ": allowed is a table of parameters");
        return;
    }
    for (const auto& [key, place, node] : item.node.entries) {
        if (auto value = read_value(node, item.key + "." + key, item.complaints)) {
            out.parameters.emplace(key, std::move(*value));
        }
    }
}

void read_automated(const TomlItem& item, Recommendation& out)
{
    if (!item.node.is(Type::Flag)) {
        item.complain("is " + item.node.type_text + ": allowed are true and false");
        return;
    }
    out.is_automated = item.node.flag;
}

constexpr std::size_t kTopicMax = 160;

constexpr std::array<TomlField<Recommendation>, 7> kRecommendationFields{{
    {"number", true, [](const TomlItem& item, Recommendation& out) { out.number = read_string(item).value_or(""); }},
    {"topic", false,
     [](const TomlItem& item, Recommendation& out) { out.topic = config::read_line(item, kTopicMax).value_or(""); }},
    {"server", false, read_level<&Recommendation::server>},
    {"workstation", false, read_level<&Recommendation::workstation>},
    {"automated", false, read_automated},
    {"rule", false, [](const TomlItem& item, Recommendation& out) { out.rule = read_string(item).value_or(""); }},
    {"parameters", false, read_values},
}};

constexpr std::array<TomlField<Profile>, 5> kProfileFields{{
    {"id", true, [](const TomlItem& item, Profile& out) { out.id = read_string(item).value_or(""); }},
    {"title", true, [](const TomlItem& item, Profile& out) { out.title = read_string(item).value_or(""); }},
    {"version", true, [](const TomlItem& item, Profile& out) { out.version = read_string(item).value_or(""); }},
    {"os_id", false, [](const TomlItem& item, Profile& out) { out.os_id = read_string(item).value_or(""); }},
    {"os_version", false, [](const TomlItem& item, Profile& out) { out.os_version = read_string(item).value_or(""); }},
}};

void read_profile(const TomlItem& item, Profile& out)
{
    if (!item.node.is(Type::Table)) {
        item.complain("is " + item.node.type_text + ": allowed is a table, begun with [profile]");
        return;
    }
    out.place = item.node.place;
    read_table<Profile>(item, kProfileFields, out);
}

constexpr std::array<TomlField<Profile>, 2> kFileFields{{
    {"profile", true, read_profile},
    {"recommendation", true,
     [](const TomlItem& item, Profile& out) {
         config::read_tables<Recommendation>(item, kRecommendationFields, out.recommendations);
     }},
}};

/// `1.1.2.1`: numbers between dots.
bool is_number(std::string_view text)
{
    return std::ranges::all_of(split(text, '.'),
                               [](std::string_view part) { return parse_number<std::uint32_t>(part).has_value(); });
}

void look_at(const Recommendation& one, std::set<std::string_view>& seen, Complaints& complaints)
{
    if (!is_number(one.number)) {
        complaints.add(one.place, "recommendation.number is " + quote(one.number) + ": allowed are numbers and dots");
    }
    if (!seen.insert(one.number).second) {
        complaints.add(one.place, "recommendation " + one.number + " is there twice");
    }
    if (one.server == 0 && one.workstation == 0) {
        complaints.add(one.place, "recommendation " + one.number + " needs a level: server, workstation or both");
    }
    if (one.rule.empty() && one.topic.empty()) {
        complaints.add(one.place, "recommendation " + one.number + " needs a rule, or a topic while there is none");
    }
}

} // namespace

Result<Profile> parse_profile(std::string_view toml, const std::string& file)
{
    TRY_ASSIGN(const TomlNode top, config::parse_toml(toml, file));
    Complaints complaints;
    Profile out;
    read_table<Profile>(TomlItem{complaints, "", top}, kFileFields, out);
    std::string without_dots = out.id;
    std::erase(without_dots, '.'); // of versions: cis-ubuntu-24.04
    if (!is_id(without_dots)) {
        complaints.add(out.place, "profile.id is " + quote(out.id) + ": allowed are a-z, 0-9, - and .");
    }
    std::set<std::string_view> seen;
    for (const auto& one : out.recommendations) {
        look_at(one, seen, complaints);
    }
    if (!complaints.empty()) {
        return complaints.error();
    }
    return out;
}

} // namespace hostward::hardening
