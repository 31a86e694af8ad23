// SPDX-License-Identifier: Apache-2.0
#include "hardening/formats/formats.h"

#include "agent/base/text.h"

#include <fmt/format.h>

namespace hostward::hardening {

namespace {

std::string indented(std::string_view text)
{
    std::string out;
    for (const auto line : split(text, '\n')) {
        out += line.empty() ? "\n" : "  " + std::string(line) + "\n";
    }
    return out;
}

std::string parameters_text(const Rule& rule)
{
    std::string out;
    for (const auto& parameter : rule.parameters) {
        out += fmt::format("  {} = {}\n      {}\n", parameter.name, value_text(parameter.value), parameter.about);
    }
    return out.empty() ? "" : "\nParameters, with their defaults\n" + out;
}

std::string uses_text(const Rule& rule, const Library& library)
{
    std::string out;
    for (const auto& profile : library.profiles) {
        for (const auto& one : profile.recommendations) {
            if (one.rule != rule.id) {
                continue;
            }
            out += fmt::format("  {} {}", profile.id, one.number);
            for (const auto& [name, value] : one.parameters) {
                out += fmt::format(", {} = {}", name, value_text(value));
            }
            out += "\n";
        }
    }
    return out.empty() ? "" : "\nUsed by\n" + out;
}

} // namespace

std::string coverage_text(const Library& library)
{
    std::string out = fmt::format("{:<24} {:>9} {:>8} {:>8} {:>7} {:>7}\n", "profile", "automated", "decided",
                                  "missing", "manual", "guided");
    for (const auto& profile : library.profiles) {
        const Coverage one = coverage_of(profile);
        out += fmt::format("{:<24} {:>9} {:>8} {:>8} {:>7} {:>7}\n", profile.id, one.automated, one.decided,
                           one.missing(), one.manual, one.guided);
    }
    return out;
}

std::string list_text(const Profile& profile, const Library& library, const Selection& selection)
{
    std::string out;
    for (const auto& one : profile.recommendations) {
        if (!is_selected(one, selection)) {
            continue;
        }
        const Rule* rule = library.rule(one.rule);
        out += fmt::format("{:<10} {} {:<40} {}\n", one.number, selection.is_workstation ? one.workstation : one.server,
                           rule == nullptr ? "-" : rule->id, rule == nullptr ? one.topic : rule->title);
    }
    return out;
}

std::string rule_text(const Rule& rule, const Library& library)
{
    return fmt::format("{}: {}\nSeverity {}{}\n\nWhy\n{}\nHow to comply\n{}", rule.id, rule.title,
                       severity_name(rule.severity), rule.check ? "" : ", for a person to judge",
                       indented(rule.rationale), indented(rule.remediation)) +
           parameters_text(rule) + uses_text(rule, library);
}

} // namespace hostward::hardening
