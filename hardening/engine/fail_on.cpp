// SPDX-License-Identifier: Apache-2.0
#include "hardening/engine/fail_on.h"

#include "agent/base/text.h"

#include <algorithm>
#include <array>
#include <utility>

namespace hostward::hardening {

namespace {

constexpr std::array<std::pair<std::string_view, FailOn>, 8> kWays{{
    {"fail", {}},
    {"low", {false, Severity::Low, 2}},
    {"medium", {false, Severity::Medium, 2}},
    {"high", {false, Severity::High, 2}},
    {"critical", {false, Severity::Critical, 2}},
    {"level1", {false, Severity::Low, 1}},
    {"cannot-tell", {true, Severity::Low, 2}},
    {"new", {false, Severity::Low, 2, true}},
}};

bool counts(const Finding& finding, const Report& report, const FailOn& what)
{
    const int level = report.level_of(*finding.recommendation);
    const Severity severity = finding.rule == nullptr ? Severity::Medium : finding.rule->severity;
    const bool is_it = what.cannot_tell ? finding.outcome.verdict == Verdict::CannotTell : finding.is_open_failure();
    if (what.only_new && !(report.since && report.since->is_new_failure(finding.recommendation->number))) {
        return false;
    }
    return is_it && severity >= what.at_least && level <= what.level_max;
}

} // namespace

Result<std::vector<FailOn>> parse_fail_on(std::string_view text)
{
    if (text == "never") {
        return std::vector<FailOn>{};
    }
    std::vector<FailOn> out;
    for (const auto word : split(text, ',')) {
        const auto* found = std::ranges::find(kWays, word, &std::pair<std::string_view, FailOn>::first);
        if (found == kWays.end()) {
            return invalid_error(
                "--fail-on " + quote(word) +
                ": allowed are never, or a list of fail, low, medium, high, critical, level1, new, cannot-tell");
        }
        out.push_back(found->second);
    }
    return out;
}

bool is_failed(const Report& report, const std::vector<FailOn>& what)
{
    return std::ranges::any_of(what, [&report](const FailOn& one) {
        return std::ranges::any_of(report.findings,
                                   [&](const Finding& finding) { return counts(finding, report, one); });
    });
}

} // namespace hostward::hardening
