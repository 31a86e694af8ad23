// SPDX-License-Identifier: Apache-2.0
#include "hardening/engine/report.h"

#include "hardening/engine/evaluate.h"
#include "hardening/models/glob.h"
#include "hardening/models/lines.h"
#include "hardening/models/os_release.h"

#include <algorithm>
#include <set>

namespace hostward::hardening {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kHostNameMax = 64; ///< HOST_NAME_MAX of Linux, see hostname(7)
constexpr std::size_t kOsNameMax = 256;  ///< of PRETTY_NAME
constexpr std::size_t kPageBytes = 4096; ///< more is no host name

std::chrono::microseconds since(Clock::time_point begin)
{
    return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
}

/// The first line that is no comment (hostname(5)), as much of it as a name may have: an image may hold anything there,
/// and reports repeat it with every finding.
std::string host_name_in(std::string_view text)
{
    std::string name;
    for_each_line(text.substr(0, kPageBytes), [&name](std::string_view line, std::uint32_t) {
        if (name.empty() && !line.starts_with('#')) {
            name = trimmed(line).substr(0, kHostNameMax);
        }
    });
    return name;
}

Subject subject_of(Facts& facts)
{
    Subject out;
    out.is_running = facts.host().is_running();
    const auto& os = facts.get<OsRelease>();
    out.os = os ? os->pretty_name.substr(0, kOsNameMax) : "";
    auto name = host::read_kernel(facts.host(), "/proc/sys/kernel/hostname");
    if (!name) {
        name = facts.host().read("/etc/hostname");
    }
    out.host_name = name ? host_name_in(*name) : "";
    return out;
}

std::optional<AppliedWaiver> waiver_for(const std::string& rule, const Tailoring& tailoring, std::int64_t now_s)
{
    const auto found = tailoring.waivers.find(rule);
    if (found == tailoring.waivers.end()) {
        return std::nullopt;
    }
    return AppliedWaiver{found->second, found->second.is_expired(now_s) ? WaiverState::Expired : WaiverState::Holds};
}

Finding look(const Recommendation& one, const Library& library, const Tailoring& tailoring, Facts& facts)
{
    Finding out;
    out.recommendation = &one;
    out.rule = one.rule.empty() ? nullptr : library.rule(one.rule);
    const auto begin = Clock::now();
    if (out.rule == nullptr) {
        out.outcome = one.is_automated ? Outcome::cannot_tell("no rule decides this recommendation yet")
                                       : Outcome{Verdict::Manual, "a person must judge this", {}, 0};
        return out;
    }
    out.parameters = parameters_of(*out.rule, one.parameters);
    if (const auto changes = tailoring.values.find(one.rule); changes != tailoring.values.end()) {
        for (const auto& [name, value] : changes->second) {
            out.parameters.insert_or_assign(name, value);
        }
    }
    out.outcome = evaluate(*out.rule, out.parameters, facts);
    out.waiver = waiver_for(one.rule, tailoring, facts.now_s());
    out.took = since(begin);
    return out;
}

} // namespace

bool is_selected(const Recommendation& one, const Selection& selection)
{
    const int level = selection.is_workstation ? one.workstation : one.server;
    if (level == 0 || level > selection.level) {
        return false;
    }
    return selection.rules.empty() || std::ranges::any_of(selection.rules, [&one](const std::string& glob) {
               return matches_wildcards(glob, one.rule) || matches_wildcards(glob, one.number);
           });
}

Report run_profile(const Profile& profile, const Library& library, const Tailoring& tailoring,
                   const Selection& selection, Facts& facts, const Progress& progress)
{
    const auto begin = Clock::now();
    Report report;
    report.profile = &profile;
    report.subject = subject_of(facts);
    report.level = selection.level;
    report.is_workstation = selection.is_workstation;
    report.started_s = facts.now_s();
    std::vector<const Recommendation*> selected;
    for (const auto& one : profile.recommendations) {
        if (is_selected(one, selection)) {
            selected.push_back(&one);
        }
    }
    std::set<std::string_view> seen;
    for (const auto* one : selected) {
        if (progress != nullptr) {
            progress(report.findings.size(), selected.size(), *one);
        }
        seen.insert(one->rule);
        report.findings.push_back(look(*one, library, tailoring, facts));
    }
    for (const auto& [rule, waiver] : tailoring.waivers) {
        if (!seen.contains(rule)) {
            report.orphan_waivers.push_back(waiver);
        }
    }
    report.took = since(begin);
    return report;
}

std::size_t Report::count(Verdict verdict) const
{
    return static_cast<std::size_t>(
        std::ranges::count_if(findings, [verdict](const Finding& one) { return one.outcome.verdict == verdict; }));
}

std::size_t Report::open_failures() const
{
    return static_cast<std::size_t>(std::ranges::count_if(findings, &Finding::is_open_failure));
}

std::optional<double> Report::score() const
{
    const auto passes = static_cast<double>(count(Verdict::Pass));
    const auto failures = static_cast<double>(count(Verdict::Fail));
    constexpr double kPercent = 100;
    return passes + failures == 0 ? std::nullopt : std::optional(kPercent * passes / (passes + failures));
}

Coverage coverage_of(const Profile& profile)
{
    Coverage out;
    for (const auto& one : profile.recommendations) {
        std::size_t& all = one.is_automated ? out.automated : out.manual;
        std::size_t& with_rule = one.is_automated ? out.decided : out.guided;
        ++all;
        with_rule += one.rule.empty() ? 0U : 1U;
    }
    return out;
}

} // namespace hostward::hardening
