// SPDX-License-Identifier: Apache-2.0
#include "hardening/formats/formats.h"

#include "agent/base/terminal.h"
#include "hardening/formats/wording.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::size_t kEvidenceShownMax = 5; ///< a person reads some; json has them all

struct Colour {
    const char* begin;
    const char* end;
};

Colour colour_of(Verdict verdict, bool is_coloured)
{
    if (!is_coloured) {
        return {"", ""};
    }
    switch (verdict) {
    case Verdict::Pass: return {"\033[32m", "\033[0m"};
    case Verdict::Fail: return {"\033[31m", "\033[0m"};
    case Verdict::CannotTell: return {"\033[33m", "\033[0m"};
    case Verdict::NotApplicable:
    case Verdict::Manual: break;
    }
    return {"\033[2m", "\033[0m"};
}

std::string evidence_text(const Outcome& outcome)
{
    std::string text;
    for (std::size_t i = 0; i < std::min(outcome.evidence.size(), kEvidenceShownMax); ++i) {
        const Evidence& one = outcome.evidence[i];
        text += "      " + printable(one.where) + ": " + printable(one.found);
        text += one.expected.empty() ? "\n" : ", expected " + printable(one.expected) + "\n";
    }
    const std::size_t more =
        outcome.evidence.size() - std::min(outcome.evidence.size(), kEvidenceShownMax) + outcome.evidence_dropped;
    return more == 0 ? text : text + fmt::format("      and {} more\n", more);
}

std::string finding_text(const Finding& finding, const TextStyle& style)
{
    const auto [begin, end] = colour_of(finding.outcome.verdict, style.is_coloured);
    const char* severity = finding.rule == nullptr ? "" : severity_name(finding.rule->severity);
    std::string text = fmt::format("  {}{:<14}{} {:<9} {} {}\n", begin, verdict_name(finding.outcome.verdict), end,
                                   finding.recommendation->number, finding.title(),
                                   finding.rule == nullptr ? "" : fmt::format("[{}, {}]", finding.rule->id, severity));
    if (!finding.outcome.reason.empty()) {
        text += "      " + printable(finding.outcome.reason) + "\n";
    }
    text += evidence_text(finding.outcome);
    return finding.waiver ? text + "      " + waiver_line(*finding.waiver) + "\n" : text;
}

using Findings = std::vector<const Finding*>;

Findings with(const Report& report, Verdict verdict)
{
    Findings found;
    for (const auto& finding : report.findings) {
        if (finding.outcome.verdict == verdict) {
            found.push_back(&finding);
        }
    }
    std::ranges::stable_sort(found, [](const Finding* a, const Finding* b) {
        return a->rule != nullptr && b->rule != nullptr && a->rule->severity > b->rule->severity;
    });
    return found;
}

std::string section(const char* title, const Findings& findings, const TextStyle& style)
{
    std::string text = findings.empty() ? "" : fmt::format("\n{} ({})\n", title, findings.size());
    for (const auto* finding : findings) {
        text += finding_text(*finding, style);
    }
    return text;
}

std::string heading(const Report& report)
{
    const Subject& subject = report.subject;
    const std::string where = subject.is_running ? "running host" : "image at " + printable(subject.root);
    return fmt::format("{} v{}, {}, level {}\n{} ({}), {}\n", report.profile->title, report.profile->version,
                       report.is_workstation ? "workstation" : "server", report.level,
                       subject.host_name.empty() ? "unnamed" : printable(subject.host_name), printable(subject.os),
                       where);
}

std::string orphans(const Report& report)
{
    std::string text;
    for (const auto& waiver : report.orphan_waivers) {
        text += fmt::format("\nnote: the waiver for {} ({}) covers nothing that was looked at\n",
                            printable(waiver.rule), waiver.place.text());
    }
    return text;
}

std::string since_text(const Comparison& since)
{
    std::string text = fmt::format("\nSince {} ({}): ", iso_time(since.started_s), printable(since.file));
    text += since.changes.empty() ? "nothing changed\n" : fmt::format("{} changes\n", since.changes.size());
    for (const auto& one : since.changes) {
        text += fmt::format("  {:<14} {:<9} {}", change_name(one.change), printable(one.number), printable(one.title));
        text += one.before && one.now
                    ? fmt::format(" [{}, now {}]\n", verdict_name(*one.before), verdict_name(*one.now))
                    : "\n";
    }
    return text;
}

std::string summary(const Report& report)
{
    const auto score = report.score();
    return fmt::format("\n{} passed, {} failed ({} waived), {} cannot tell, {} manual, {} not applicable\n"
                       "score {} of what could be told; {} ms\n",
                       report.count(Verdict::Pass), report.count(Verdict::Fail),
                       report.count(Verdict::Fail) - report.open_failures(), report.count(Verdict::CannotTell),
                       report.count(Verdict::Manual), report.count(Verdict::NotApplicable),
                       score ? fmt::format("{:.1f} %", *score) : "unknown", report.took.count() / 1000);
}

} // namespace

std::string text_report(const Report& report, const TextStyle& style)
{
    std::string text = heading(report);
    text += section("Failed", with(report, Verdict::Fail), style);
    text += section("Cannot tell", with(report, Verdict::CannotTell), style);
    if (style.shows_all) {
        text += section("For a person to judge", with(report, Verdict::Manual), style);
        text += section("Not applicable", with(report, Verdict::NotApplicable), style);
        text += section("Passed", with(report, Verdict::Pass), style);
    }
    text += report.since ? since_text(*report.since) : "";
    return text + orphans(report) + summary(report);
}

} // namespace hostward::hardening
