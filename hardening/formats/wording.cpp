// SPDX-License-Identifier: Apache-2.0
#include "hardening/formats/wording.h"

#include "agent/base/text.h"

#include <fmt/format.h>

#include <chrono>

namespace hostward::hardening {

std::vector<std::string> detail_lines(const Finding& finding)
{
    std::vector<std::string> lines;
    const Outcome& outcome = finding.outcome;
    if (!outcome.reason.empty()) {
        lines.push_back(escape(outcome.reason));
    }
    for (const auto& one : outcome.evidence) {
        lines.push_back(escape(one.where) + ": " + escape(one.found) +
                        (one.expected.empty() ? "" : ", expected " + escape(one.expected)));
    }
    if (outcome.evidence_dropped != 0) {
        lines.push_back(fmt::format("and {} more", outcome.evidence_dropped));
    }
    return lines;
}

std::string waiver_line(const AppliedWaiver& waiver)
{
    const Waiver& one = waiver.waiver;
    return fmt::format("{} {} by {}: {}", waiver.state == WaiverState::Holds ? "waived until" : "the waiver expired",
                       one.expires.empty() ? "no end" : one.expires, escape(one.owner), escape(one.reason));
}

std::string resource_id(const Report& report)
{
    if (report.subject.is_running) {
        return report.subject.host_name.empty() ? "unnamed host" : escape(report.subject.host_name);
    }
    return "image " + escape(report.subject.root);
}

std::string finding_id(const Report& report, const Finding& finding)
{
    return report.profile->id + "/" + finding.recommendation->number + "/" + resource_id(report);
}

std::string iso_time(std::int64_t seconds)
{
    const std::chrono::sys_seconds when{std::chrono::seconds(seconds)};
    const auto day = std::chrono::floor<std::chrono::days>(when);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(when - day);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                       time.minutes().count(), time.seconds().count());
}

} // namespace hostward::hardening
