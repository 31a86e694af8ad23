// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/audit_sides.h"

#include "hardening/models/audit_config.h"
#include "hardening/models/audit_kernel.h"
#include "hardening/models/login_defs.h"

#include <optional>
#include <utility>

namespace hostward::hardening {

namespace {

constexpr std::uint32_t kUsualFirstPerson = 1000; ///< where login.defs does not say

struct Sides {
    const AuditConfig& config;
    const AuditKernel* kernel; ///< null: it was not asked, or did not answer
    PathNames names;
};

std::string places(const std::vector<Origin>& origins)
{
    constexpr std::size_t kMost = 4;
    std::string text;
    for (std::size_t i = 0; i < origins.size() && i < kMost; ++i) {
        text += (i == 0 ? "" : ", ") + origins[i].text();
    }
    return text + (origins.size() > kMost ? ", ..." : "");
}

/// Where the files are to blame: the gap's own rule, the line where reading stopped, or all of them.
std::string place_in_files(const AuditConfig& config, const AuditGap& gap)
{
    if (gap.where.line != 0) {
        return gap.where.text();
    }
    return config.loaded_by.empty() ? "/etc/audit" : config.source;
}

std::string reason_in_files(const AuditConfig& config, const AuditGap& gap)
{
    if (config.loaded_by.empty()) {
        return "no unit loads audit rules at boot";
    }
    if (config.state.stops_at && gap.where.line == 0) {
        return gap.why + ", and auditctl stops at " + config.state.stops_at->text() + ": " +
               config.state.refused.back().why;
    }
    return gap.why;
}

/// What is wrong, and what is right for when nothing is wrong.
struct Found {
    Outcome gaps{Verdict::Fail, "", {}, 0};
    Outcome covered{Verdict::Pass, "", {}, 0};
    bool has_gap = false;
};

void judge_files(const AuditConfig& config, const AuditCoverage& files, const std::string& what, bool is_loaded,
                 Found& found)
{
    for (const auto& gap : files.gaps) {
        found.has_gap = true;
        found.gaps.add({"recorded: " + gap.what,
                        (is_loaded ? "loaded now, lost at the next boot: " : "") + reason_in_files(config, gap),
                        place_in_files(config, gap)});
    }
    if (files.gaps.empty()) {
        found.covered.add({"recorded: " + what, "in the files", places(files.by)});
    }
}

void judge_kernel(const AuditCoverage& running, const std::string& what, bool is_in_files, Found& found)
{
    for (const auto& gap : running.gaps) {
        found.has_gap = true;
        found.gaps.add({"recorded: " + gap.what, (is_in_files ? "in the files, but not loaded: " : "") + gap.why,
                        "the running kernel"});
    }
    if (running.gaps.empty()) {
        found.covered.add({"recorded: " + what, "loaded", "the running kernel"});
    }
}

void judge_one(Sides& sides, const AuditDemand& demand, Found& found)
{
    const std::string what = audit_demand_text(demand);
    const auto files = audit_coverage(sides.config.state.rules, demand, sides.config.machine, sides.names);
    if (sides.kernel == nullptr) {
        judge_files(sides.config, files, what, false, found);
        return;
    }
    auto running = audit_coverage(sides.kernel->rules, demand, sides.config.machine, sides.names);
    if (sides.kernel->status.enabled == 0) {
        running.gaps.assign(1, AuditGap{what, "audit is turned off in the kernel", {}});
    }
    judge_files(sides.config, files, what, running.gaps.empty(), found);
    judge_kernel(running, what, files.gaps.empty(), found);
}

} // namespace

AuditUsers audit_users(const Arguments& arguments)
{
    const std::string users = arguments.text_or("users", "everybody");
    return users == "people" ? AuditUsers::People : users == "logged-in" ? AuditUsers::LoggedIn : AuditUsers::Everybody;
}

Result<Outcome> judge_audit(Facts& facts, std::vector<AuditDemand> demands)
{
    const auto& config = facts.get<AuditConfig>();
    if (!config) {
        return config.error();
    }
    const auto& login = facts.get<LoginDefs>();
    const auto first = login ? login->number("UID_MIN") : std::nullopt;
    const auto& kernel = facts.get<AuditKernel>();
    Sides sides{*config, kernel.ok() ? &*kernel : nullptr, PathNames(facts.host())};
    Found found;
    for (auto& demand : demands) {
        demand.first_person = static_cast<std::uint32_t>(first.value_or(kUsualFirstPerson));
        judge_one(sides, demand, found);
    }
    Outcome out = found.has_gap ? found.gaps : found.covered;
    if (out.verdict == Verdict::Pass && facts.host().is_running() && !kernel) {
        out.verdict = Verdict::CannotTell;
        out.reason = "it is in the files; whether it is loaded: " + kernel.error().text;
    }
    return out;
}

} // namespace hostward::hardening
