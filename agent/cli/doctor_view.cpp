// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/doctor_view.h"

#include "agent/base/terminal.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace hostward::cli {

namespace {

using guard::Finding;
using guard::Severity;
using Json = nlohmann::ordered_json;

constexpr std::array kWorstFirst{Severity::Error, Severity::CannotTell, Severity::Warning, Severity::Info,
                                 Severity::Ok};
constexpr std::size_t kColumns = 100;
constexpr std::size_t kIdColumn = 24;

/// `words` one after another on lines of kColumns, each line begun with `indent` blanks.
std::string wrapped(const std::vector<std::string>& words, std::size_t indent)
{
    std::string out;
    std::string line;
    for (const auto& word : words) {
        if (!line.empty() && indent + line.size() + 1 + word.size() > kColumns) {
            out += std::string(indent, ' ') + line + "\n";
            line.clear();
        }
        line += (line.empty() ? "" : " ") + word;
    }
    return line.empty() ? out : out + std::string(indent, ' ') + line + "\n";
}

std::string labelled(const char* label, const std::vector<std::string>& lines)
{
    std::string out;
    for (const auto& line : lines) {
        out += std::string("    ") + label + printable(line) + "\n";
    }
    return out;
}

bool say_the_same(const Finding& a, const Finding& b)
{
    return a.title == b.title && a.evidence == b.evidence && a.open == b.open && a.remedy == b.remedy;
}

/// `findings` from `at` on that say the same stand together: one thing that is missing leaves many questions open.
std::string finding_text(const std::vector<const Finding*>& findings, std::size_t& at)
{
    const Finding& finding = *findings[at];
    std::vector<std::string> ids;
    for (; at < findings.size() && say_the_same(*findings[at], finding); ++at) {
        ids.push_back(findings[at]->id);
    }
    std::string id = "  " + finding.id;
    id.resize(std::max(kIdColumn, id.size() + 1), ' ');
    std::string out = ids.size() > 1 ? wrapped(ids, 2) + std::string(kIdColumn, ' ') : id;
    out += printable(finding.title) + "\n" + labelled("seen: ", finding.evidence);
    if (!finding.open.empty()) {
        out += "    open:\n" + wrapped(finding.open, 6);
    }
    return out + labelled("do: ", finding.remedy);
}

std::vector<const Finding*> of_severity(const std::vector<Finding>& findings, Severity severity)
{
    std::vector<const Finding*> found;
    for (const auto& finding : findings) {
        if (finding.severity == severity) {
            found.push_back(&finding);
        }
    }
    return found;
}

std::string group_text(const std::vector<const Finding*>& findings, Severity severity)
{
    std::string out = std::string(guard::severity_text(severity)) + "\n";
    if (severity != Severity::Ok) {
        for (std::size_t at = 0; at < findings.size();) {
            out += finding_text(findings, at);
        }
        return out;
    }
    std::vector<std::string> ids;
    for (const auto* finding : findings) {
        ids.push_back(finding->id);
    }
    return out + wrapped(ids, 2);
}

Json texts_json(const std::vector<std::string>& texts)
{
    Json out = Json::array();
    for (const auto& text : texts) {
        out.push_back(printable(text));
    }
    return out;
}

} // namespace

std::string doctor_text(const std::vector<Finding>& findings)
{
    std::string out;
    for (const auto severity : kWorstFirst) {
        const auto group = of_severity(findings, severity);
        if (!group.empty()) {
            out += (out.empty() ? "" : "\n") + group_text(group, severity);
        }
    }
    return out;
}

std::string doctor_json(const std::vector<Finding>& findings)
{
    Json list = Json::array();
    for (const auto& finding : findings) {
        list.push_back({{"id", finding.id},
                        {"group", finding.group},
                        {"severity", guard::severity_text(finding.severity)},
                        {"title", printable(finding.title)},
                        {"evidence", texts_json(finding.evidence)},
                        {"open", finding.open},
                        {"remedy", texts_json(finding.remedy)}});
    }
    const Json out{{"version", 1}, {"worst", guard::severity_text(guard::worst_of(findings))}, {"findings", list}};
    return out.dump() + "\n";
}

ExitCode doctor_exit_code(Severity worst)
{
    switch (worst) {
    case Severity::Ok:
    case Severity::Info: return ExitCode::Ok;
    case Severity::Warning: return ExitCode::Warnings;
    case Severity::CannotTell: return ExitCode::CannotTell;
    case Severity::Error: return ExitCode::Errors;
    }
    return ExitCode::CannotTell;
}

} // namespace hostward::cli
