// SPDX-License-Identifier: Apache-2.0
#include "hardening/engine/parse.h"

#include "agent/base/text.h"
#include "agent/config/toml_reader.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

using config::Choice;
using config::Complaints;
using config::read_choice;
using config::read_string;
using config::read_table;
using config::TomlField;
using config::TomlItem;
using config::TomlNode;
using Type = TomlNode::Type;

constexpr std::size_t kTitleMax = 160;
constexpr std::size_t kTextMax = 4000;

constexpr std::array<Choice<Severity>, 4> kSeverities{
    {{"low", Severity::Low}, {"medium", Severity::Medium}, {"high", Severity::High}, {"critical", Severity::Critical}}};

/// A rule on its way: its expressions are read when the primitives are known.
struct RawRule {
    Rule rule;
    Place place;
    const TomlNode* applies = nullptr;
    const TomlNode* check = nullptr;
    bool is_manual = false;
};

void read_id(const TomlItem& item, RawRule& out)
{
    out.rule.id = read_string(item).value_or("x");
    if (!is_id(out.rule.id)) {
        item.complain("is " + quote(out.rule.id) + ": allowed are 1 to " + std::to_string(kIdMax) +
                      " of a-z, 0-9 and -");
    }
}

/// Text of several lines, without blanks around it.
std::string read_text(const TomlItem& item)
{
    std::string text = read_string(item).value_or("x");
    text.erase(0, text.find_first_not_of(" \n"));
    text.erase(text.find_last_not_of(" \n") + 1);
    if (text.empty() || text.size() > kTextMax) {
        item.complain("allows 1 to " + std::to_string(kTextMax) + " bytes of text");
    }
    return text;
}

struct RawParameter {
    Parameter parameter;
    Place place;
};

constexpr std::array<TomlField<RawParameter>, 3> kParameterFields{{
    {"name", true,
     [](const TomlItem& item, RawParameter& out) { out.parameter.name = read_string(item).value_or(""); }},
    {"default", true,
     [](const TomlItem& item, RawParameter& out) {
         out.parameter.value = read_value(item.node, item.key, item.complaints).value_or(Value());
     }},
    {"about", true, [](const TomlItem& item, RawParameter& out) { out.parameter.about = read_text(item); }},
}};

void read_parameters(const TomlItem& item, RawRule& out)
{
    std::vector<RawParameter> raw;
    config::read_tables<RawParameter>(item, kParameterFields, raw);
    for (auto& one : raw) {
        if (std::ranges::find(out.rule.parameters, one.parameter.name, &Parameter::name) != out.rule.parameters.end()) {
            item.complaints.add(one.place, "the parameter " + quote(one.parameter.name) + " is there twice");
        }
        one.parameter.place = one.place;
        out.rule.parameters.push_back(std::move(one.parameter));
    }
}

void read_manual(const TomlItem& item, RawRule& out)
{
    out.is_manual = item.node.is(Type::Flag) && item.node.flag;
    if (!out.is_manual) {
        item.complain("allows only true");
    }
}

constexpr std::array<TomlField<RawRule>, 9> kRuleFields{{
    {"id", true, read_id},
    {"title", true,
     [](const TomlItem& item, RawRule& out) { out.rule.title = config::read_line(item, kTitleMax).value_or(""); }},
    {"rationale", true, [](const TomlItem& item, RawRule& out) { out.rule.rationale = read_text(item); }},
    {"remediation", true, [](const TomlItem& item, RawRule& out) { out.rule.remediation = read_text(item); }},
    {"severity", true, [](const TomlItem& item, RawRule& out) { read_choice(item, kSeverities, out.rule.severity); }},
    {"parameter", false, read_parameters},
    {"applies", false, [](const TomlItem& item, RawRule& out) { out.applies = &item.node; }},
    {"check", false, [](const TomlItem& item, RawRule& out) { out.check = &item.node; }},
    {"manual", false, read_manual},
}};

struct RuleFile {
    std::vector<RawRule> rules;
};

constexpr std::array<TomlField<RuleFile>, 1> kFileFields{{
    {"rule", true,
     [](const TomlItem& item, RuleFile& out) { config::read_tables<RawRule>(item, kRuleFields, out.rules); }},
}};

std::map<std::string, Value> defaults_of(const Rule& rule)
{
    std::map<std::string, Value> values;
    for (const auto& parameter : rule.parameters) {
        values.emplace(parameter.name, parameter.value);
    }
    return values;
}

Rule finished(RawRule raw, Primitives primitives, Complaints& complaints)
{
    raw.rule.place = raw.place;
    if (raw.is_manual == (raw.check != nullptr)) {
        complaints.add(raw.place, "the rule " + quote(raw.rule.id) + " needs either a check or manual = true");
    }
    const auto defaults = defaults_of(raw.rule);
    for (const auto& [node, key, out] : {std::tuple(raw.applies, "rule.applies", &raw.rule.applies),
                                         std::tuple(raw.check, "rule.check", &raw.rule.check)}) {
        if (node != nullptr) {
            *out = read_check(*node, key, primitives, complaints);
            check_arguments(**out, defaults, complaints);
        }
    }
    return std::move(raw.rule);
}

} // namespace

const char* severity_name(Severity severity)
{
    return std::ranges::find(kSeverities, severity, &Choice<Severity>::second)->first;
}

bool is_id(std::string_view text)
{
    const auto is_allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
    return !text.empty() && text.size() <= kIdMax && std::ranges::all_of(text, is_allowed);
}

Result<std::vector<Rule>> parse_rules(std::string_view toml, const std::string& file, Primitives primitives)
{
    TRY_ASSIGN(const TomlNode top, config::parse_toml(toml, file));
    Complaints complaints;
    RuleFile raw;
    read_table<RuleFile>(TomlItem{complaints, "", top}, kFileFields, raw);
    std::vector<Rule> rules;
    for (auto& rule : raw.rules) {
        rules.push_back(finished(std::move(rule), primitives, complaints));
    }
    if (!complaints.empty()) {
        return complaints.error();
    }
    return rules;
}

} // namespace hostward::hardening
