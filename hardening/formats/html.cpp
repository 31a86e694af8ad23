// SPDX-License-Identifier: Apache-2.0
#include "hardening/formats/formats.h"

#include "hardening/formats/html_style.h"
#include "hardening/formats/wording.h"
#include "hardening/formats/xml.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <numbers>

namespace hostward::hardening {

namespace {

/// What the page counts and filters by: the verdicts, and failures that a waiver covers apart.
struct Kind {
    const char* name; ///< also of the style sheet's colours
    const char* label;
    bool is_shown; ///< before anybody touches the filters
};

constexpr std::array kKinds{
    Kind{"fail", "failed", true},   Kind{"cannot-tell", "cannot tell", true},
    Kind{"waived", "waived", true}, Kind{"manual", "manual", false},
    Kind{"pass", "passed", false},  Kind{"not-applicable", "not applicable", false},
};

using Counts = std::array<std::size_t, kKinds.size()>;

std::size_t kind_of(const Finding& finding)
{
    const bool is_waived = finding.outcome.verdict == Verdict::Fail && !finding.is_open_failure();
    const std::string_view name = is_waived ? "waived" : verdict_name(finding.outcome.verdict);
    std::size_t at = 0;
    while (kKinds.at(at).name != name) {
        ++at;
    }
    return at;
}

Counts counts_of(const Report& report)
{
    Counts counts{};
    for (const auto& finding : report.findings) {
        ++counts.at(kind_of(finding));
    }
    return counts;
}

/// `1` of `1.1.2.3`, in the order of the numbers.
std::map<int, Counts> counts_by_chapter(const Report& report)
{
    std::map<int, Counts> out;
    for (const auto& finding : report.findings) {
        int chapter = 0;
        for (const char c : finding.recommendation->number.substr(0, finding.recommendation->number.find('.'))) {
            chapter = chapter * 10 + (c - '0');
        }
        ++out[chapter].at(kind_of(finding));
    }
    return out;
}

/// A ring, one arc a kind, the score in its middle.
std::string ring_svg(const Report& report, const Counts& counts)
{
    constexpr double kRadius = 60;
    constexpr double kLength = 2 * std::numbers::pi * kRadius;
    const auto all = static_cast<double>(std::max<std::size_t>(report.findings.size(), 1));
    const auto score = report.score();
    std::string text =
        "<svg width=\"160\" height=\"160\" viewBox=\"0 0 160 160\" role=\"img\" aria-label=\"verdicts\">";
    double done = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const double share = static_cast<double>(counts.at(i)) / all * kLength;
        text += fmt::format(
            "<circle cx=\"80\" cy=\"80\" r=\"{:.0f}\" fill=\"none\" stroke=\"var(--{})\" stroke-width=\"22\" "
            "stroke-dasharray=\"{:.2f} {:.2f}\" stroke-dashoffset=\"{:.2f}\" "
            "transform=\"rotate(-90 80 80)\"><title>{} {}</title></circle>",
            kRadius, kKinds.at(i).name, share, kLength - share, -done, counts.at(i), kKinds.at(i).label);
        done += share;
    }
    return text +
           fmt::format("<text x=\"80\" y=\"80\" text-anchor=\"middle\" font-size=\"26\" fill=\"currentColor\">{}</text>"
                       "<text x=\"80\" y=\"99\" text-anchor=\"middle\" font-size=\"10\" fill=\"currentColor\">"
                       "of those told</text></svg>",
                       score ? fmt::format("{:.0f} %", *score) : "?");
}

std::string bars_html(const Report& report)
{
    std::string text = "<table>";
    for (const auto& [chapter, counts] : counts_by_chapter(report)) {
        std::size_t all = 0;
        for (const auto count : counts) {
            all += count;
        }
        text += fmt::format("<tr><th>Chapter {}</th><td><div class=\"bar\">", chapter);
        for (std::size_t i = 0; i < counts.size(); ++i) {
            if (counts.at(i) != 0) {
                text += fmt::format("<i title=\"{0} {1}\" style=\"width:{2:.2f}%;background:var(--{3})\"></i>",
                                    counts.at(i), kKinds.at(i).label,
                                    100.0 * static_cast<double>(counts.at(i)) / static_cast<double>(all),
                                    kKinds.at(i).name);
            }
        }
        text += "</div></td></tr>";
    }
    return text + "</table>";
}

/// The check boxes, the rules that hide what is unchecked, and their labels.
std::string filters_html(const Counts& counts)
{
    std::string boxes;
    std::string rules;
    std::string labels;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const Kind& kind = kKinds.at(i);
        boxes += fmt::format("<input class=\"f\" type=\"checkbox\" id=\"f-{0}\"{1}>", kind.name,
                             kind.is_shown ? " checked" : "");
        rules += fmt::format(
            "#f-{0}:not(:checked)~main .k-{0}{{display:none}}"
            "#f-{0}:checked~.filters label[for=f-{0}]{{color:var(--{0});border-color:var(--{0});text-decoration:none}}"
            "#f-{0}:focus-visible~.filters label[for=f-{0}]{{outline:2px solid}}"
            ".k-{0} summary b{{color:var(--{0})}}",
            kind.name);
        labels += fmt::format("<label class=\"f\" for=\"f-{}\">{} {}</label>", kind.name, counts.at(i), kind.label);
    }
    return "<style>" + rules + "</style>" + boxes + "<div class=\"filters\">" + labels + "</div>";
}

std::string item(const char* name, const std::string& html)
{
    return html.empty() ? "" : fmt::format("<dt>{}</dt><dd>{}</dd>", name, html);
}

std::string evidence_html(const Finding& finding)
{
    std::string text;
    for (const auto& line : detail_lines(finding)) {
        text += "<li>" + xml_text(line) + "</li>";
    }
    return text.empty() ? "" : "<ul>" + text + "</ul>";
}

std::string finding_html(const Report& report, const Finding& finding)
{
    const Kind& kind = kKinds.at(kind_of(finding));
    const Rule* rule = finding.rule;
    std::string text =
        fmt::format("<details class=\"k-{0}\"><summary><b>{1}</b><span>{2}</span><span class=\"t\">{3}</span>"
                    "<span class=\"meta\">level {4}{5}</span></summary><dl>",
                    kind.name, kind.label, finding.recommendation->number, xml_text(finding.title()),
                    report.level_of(*finding.recommendation),
                    rule == nullptr ? "" : std::string(", ") + severity_name(rule->severity));
    text += item("What was seen", evidence_html(finding));
    if (finding.waiver) {
        text += item("Waiver", xml_text(waiver_line(*finding.waiver)));
    }
    if (rule != nullptr) {
        text += item("Why", "<pre>" + xml_text(rule->rationale) + "</pre>");
        text += item("How to comply", "<pre>" + xml_text(rule->remediation) + "</pre>");
        text += item("Rule", "<code>" + rule->id + "</code>");
    }
    return text + "</dl></details>\n";
}

std::string head_html(const Report& report)
{
    const std::string title = xml_text(report.profile->title + " v" + report.profile->version);
    return fmt::format(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
        "<title>{0}: {1}</title><style>{2}</style></head><body>\n<h1>{0}</h1>"
        "<p class=\"sub\">{1}, {3}, {4}, level {5}, {6}</p>\n",
        title, xml_text(resource_id(report)), kHtmlStyle, xml_text(report.subject.os),
        report.is_workstation ? "workstation" : "server", report.level, iso_time(report.started_s));
}

std::string since_html(const Comparison& since)
{
    std::string text =
        fmt::format("<h2>Since {}: {} changes</h2>\n<ul>", iso_time(since.started_s), since.changes.size());
    for (const auto& one : since.changes) {
        text +=
            fmt::format("<li><b>{}</b> {} {}</li>", change_name(one.change), xml_text(one.number), xml_text(one.title));
    }
    return text + "</ul>\n";
}

} // namespace

std::string html_report(const Report& report)
{
    const Counts counts = counts_of(report);
    std::string text = head_html(report);
    text += "<div class=\"charts\">" + ring_svg(report, counts) + bars_html(report) + "</div>\n";
    text += filters_html(counts) + "\n<main>\n";
    text += report.since ? since_html(*report.since) : "";
    for (const auto& finding : report.findings) {
        text += finding_html(report, finding);
    }
    for (const auto& waiver : report.orphan_waivers) {
        text += fmt::format("<p class=\"none\">The waiver for {} covers nothing that was looked at.</p>\n",
                            xml_text(waiver.rule));
    }
    return text + "</main></body></html>\n";
}

} // namespace hostward::hardening
