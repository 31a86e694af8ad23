// SPDX-License-Identifier: Apache-2.0
// JUnit XML for pipelines: a recommendation is a test case. What cannot be told is an error, never a skip.
#include "hardening/formats/formats.h"

#include "hardening/formats/wording.h"
#include "hardening/formats/xml.h"

#include <fmt/format.h>

namespace hostward::hardening {

namespace {

std::string joined(const std::vector<std::string>& lines)
{
    std::string text;
    for (const auto& line : lines) {
        text += line + "\n";
    }
    return text;
}

/// The element within the test case, if any.
std::string result_xml(const Finding& finding)
{
    const std::string details = xml_text(joined(detail_lines(finding)));
    const bool is_waived = finding.waiver && finding.waiver->state == WaiverState::Holds;
    switch (finding.outcome.verdict) {
    case Verdict::Pass: return "";
    case Verdict::Fail:
        if (is_waived) {
            return fmt::format("      <skipped message=\"{}\"/>\n", xml_text(waiver_line(*finding.waiver)));
        }
        return fmt::format("      <failure message=\"{}\" type=\"{}\">{}</failure>\n", xml_text(finding.title()),
                           finding.rule == nullptr ? "" : severity_name(finding.rule->severity), details);
    case Verdict::CannotTell:
        return fmt::format("      <error message=\"cannot tell\" type=\"cannot-tell\">{}</error>\n", details);
    case Verdict::Manual:
    case Verdict::NotApplicable: break;
    }
    return fmt::format("      <skipped message=\"{}: {}\"/>\n", verdict_name(finding.outcome.verdict),
                       xml_text(finding.outcome.reason));
}

std::string case_xml(const Report& report, const Finding& finding)
{
    constexpr double kMicro = 1e6;
    const std::string head = fmt::format("    <testcase classname=\"{}\" name=\"{} {}\" time=\"{:.6f}\"",
                                         report.profile->id, finding.recommendation->number, xml_text(finding.title()),
                                         static_cast<double>(finding.took.count()) / kMicro);
    const std::string result = result_xml(finding);
    return result.empty() ? head + "/>\n" : head + ">\n" + result + "    </testcase>\n";
}

} // namespace

std::string junit_report(const Report& report)
{
    const std::size_t waived = report.count(Verdict::Fail) - report.open_failures();
    const std::size_t skipped = report.count(Verdict::Manual) + report.count(Verdict::NotApplicable) + waived;
    constexpr double kMicro = 1e6;
    std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
    text += fmt::format("  <testsuite name=\"{} {}\" hostname=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" "
                        "skipped=\"{}\" time=\"{:.6f}\" timestamp=\"{}\">\n",
                        xml_text(report.profile->title), report.profile->version, xml_text(resource_id(report)),
                        report.findings.size(), report.open_failures(), report.count(Verdict::CannotTell), skipped,
                        static_cast<double>(report.took.count()) / kMicro, iso_time(report.started_s));
    for (const auto& finding : report.findings) {
        text += case_xml(report, finding);
    }
    return text + "  </testsuite>\n</testsuites>\n";
}

} // namespace hostward::hardening
