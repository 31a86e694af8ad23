// SPDX-License-Identifier: Apache-2.0
// Audit rules for every program with a SUID or SGID bit.
#include "hardening/models/mounts.h"
#include "hardening/models/sweep.h"
#include "hardening/primitives/audit_sides.h"
#include "hardening/primitives/primitives.h"

#include <linux/audit.h>

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kArguments{kAuditUsersArgument};

/// The bits have no effect on a file system that is mounted so.
bool is_powerless(const std::string& path, const Mounts* mounts)
{
    const Mount* mount = nullptr;
    for (std::string folder = path; mounts != nullptr && mount == nullptr && folder.size() > 1;) {
        folder.resize(std::max<std::size_t>(folder.rfind('/'), 1));
        mount = mounts->at(folder);
    }
    return mount != nullptr && (mount->has("nosuid") || mount->has("noexec"));
}

Result<Outcome> evaluate(const Arguments& arguments, Facts& facts)
{
    const auto& sweep = facts.get<Sweep>();
    if (!sweep) {
        return sweep.error();
    }
    const auto& mounts = facts.get<Mounts>();
    std::vector<AuditDemand> demands;
    for (const auto& file : sweep->set_id_files.kept) {
        const bool is_executable = (file.mode & 0111U) != 0;
        if (!is_executable || file.is_in_container_store || is_powerless(file.path, mounts ? &*mounts : nullptr)) {
            continue;
        }
        AuditDemand demand;
        demand.path = file.path;
        demand.permissions = AUDIT_PERM_EXEC;
        demand.users = audit_users(arguments);
        demands.push_back(std::move(demand));
    }
    TRY_ASSIGN(auto out, judge_audit(facts, std::move(demands)));
    const bool is_whole = sweep->partial.empty() && sweep->set_id_files.kept.size() == sweep->set_id_files.count;
    if (out.verdict == Verdict::Pass && !is_whole) {
        out.verdict = Verdict::CannotTell;
        out.reason = "not every program was seen" + (sweep->partial.empty() ? "" : ": " + sweep->partial.front());
    }
    out.add({"a rule for each", std::to_string(sweep->set_id_files.count) + " files with SUID or SGID",
             "local file systems"});
    return out;
}

} // namespace

const Primitive kAuditProgramsPrimitive{
    "audit_set_id_programs", "Audit records the use of every program with a SUID or SGID bit, wherever it is.",
    kArguments, evaluate};

} // namespace hostward::hardening
