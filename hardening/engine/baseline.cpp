// SPDX-License-Identifier: Apache-2.0
#include "hardening/engine/baseline.h"

#include "agent/base/text.h"

#include <algorithm>
#include <map>

namespace hostward::hardening {

namespace {

/// Nothing: it is as it was.
std::optional<Change> change_of(const Finding& now, const Past* before)
{
    const Verdict verdict = now.outcome.verdict;
    if (now.is_open_failure() && (before == nullptr || !before->is_open_failure)) {
        return Change::NewFailure;
    }
    if (before == nullptr) {
        return Change::Added;
    }
    if (verdict == Verdict::CannotTell && before->verdict != Verdict::CannotTell) {
        return Change::NoLongerTold;
    }
    if (before->is_open_failure && !now.is_open_failure()) {
        return Change::Fixed;
    }
    return before->verdict == Verdict::CannotTell && verdict != Verdict::CannotTell ? std::optional(Change::NowTold)
                                                                                    : std::nullopt;
}

Status check_same(const std::string& what, const std::string& then, const std::string& now, const std::string& file)
{
    if (then == now) {
        return success();
    }
    return invalid_error("--baseline " + quote(file) + " is a report of the " + what + " " + quote(then) +
                         ": allowed is one of the " + what + " " + quote(now));
}

const char* role_of(bool is_workstation) { return is_workstation ? "workstation" : "server"; }

} // namespace

const char* change_name(Change change)
{
    switch (change) {
    case Change::NewFailure: return "new-failure";
    case Change::Fixed: return "fixed";
    case Change::NoLongerTold: return "no-longer-told";
    case Change::NowTold: return "now-told";
    case Change::Added: return "added";
    case Change::Removed: return "removed";
    }
    return "?";
}

Result<Comparison> compare(const Report& report, const Baseline& baseline)
{
    TRY(check_same("profile", baseline.profile, report.profile->id, baseline.file));
    TRY(check_same("role", role_of(baseline.is_workstation), role_of(report.is_workstation), baseline.file));
    TRY(check_same("root", baseline.root, report.subject.root, baseline.file));
    std::map<std::string, const Past*> before;
    for (const auto& past : baseline.findings) {
        before.emplace(past.number, &past);
    }
    Comparison out{baseline.file, baseline.started_s, {}};
    for (const auto& finding : report.findings) {
        const auto found = before.find(finding.recommendation->number);
        const Past* past = found == before.end() ? nullptr : found->second;
        if (const auto change = change_of(finding, past)) {
            out.changes.push_back({*change, finding.recommendation->number, finding.title(),
                                   past == nullptr ? std::nullopt : std::optional(past->verdict),
                                   finding.outcome.verdict});
        }
    }
    for (const auto& past : baseline.findings) { // what this run left out by choice is no news
        const auto& all = report.profile->recommendations;
        if (std::ranges::find(all, past.number, &Recommendation::number) == all.end()) {
            out.changes.push_back({Change::Removed, past.number, past.title, past.verdict, std::nullopt});
        }
    }
    std::ranges::stable_sort(out.changes, {}, &Changed::change);
    return out;
}

} // namespace hostward::hardening
