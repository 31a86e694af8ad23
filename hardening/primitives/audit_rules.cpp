// SPDX-License-Identifier: Apache-2.0
// Which system calls and which files audit records.
#include "hardening/models/audit_names.h"
#include "hardening/models/sudoers.h"
#include "hardening/primitives/audit_sides.h"
#include "hardening/primitives/primitives.h"

#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array<std::string_view, 2> kErrors{"EACCES", "EPERM"};
constexpr std::array kSyscallArguments{
    ArgumentSpec{"syscalls", ValueType::List, true, "names of system calls, all of them", {}},
    ArgumentSpec{"errors", ValueType::List, false, "only those that end with one of these errors", kErrors},
    ArgumentSpec{"as_other_user", ValueType::Flag, false, "only what runs as another user than the caller", {}},
    ArgumentSpec{"first_argument", ValueType::Number, false, "only calls with this first argument", {}},
    kAuditUsersArgument,
};
constexpr std::array kFileArguments{
    ArgumentSpec{"paths", ValueType::List, true, "files, and folders with all that is below them", {}},
    ArgumentSpec{"permissions", ValueType::Text, true, "what is done to them: r, w, x and a for attributes", {}},
    ArgumentSpec{"is_program", ValueType::Flag, false, "nobody can run what is not there: not applicable then", {}},
    kAuditUsersArgument,
};

Result<Outcome> evaluate_syscalls(const Arguments& arguments, Facts& facts)
{
    AuditDemand demand;
    demand.syscalls = arguments.list("syscalls");
    demand.users = audit_users(arguments);
    demand.as_other_user = arguments.flag_or("as_other_user", false);
    if (arguments.has("first_argument")) {
        demand.first_argument = static_cast<std::uint32_t>(arguments.number("first_argument"));
    }
    std::vector<AuditDemand> demands;
    for (const auto& error : arguments.list_or_none("errors")) {
        demand.exit = audit_errno("-" + error);
        demands.push_back(demand);
    }
    if (demands.empty()) {
        demands.push_back(demand);
    }
    return judge_audit(facts, std::move(demands));
}

Result<AuditDemand> demand_for(const Arguments& arguments, const std::string& path, const host::Host& host)
{
    const auto permissions = audit_permissions(arguments.text("permissions"));
    if (!permissions) {
        return invalid_error("permissions are letters of rwxa");
    }
    AuditDemand demand;
    demand.path = path;
    demand.permissions = *permissions;
    demand.users = audit_users(arguments);
    const auto status = host.facts(path);
    demand.is_directory = status.ok() && status->type == host::FileType::Directory;
    return demand;
}

Result<Outcome> evaluate_files(const Arguments& arguments, Facts& facts)
{
    const bool is_program = arguments.flag_or("is_program", false);
    std::vector<AuditDemand> demands;
    for (const auto& path : arguments.list("paths")) {
        TRY_ASSIGN(const bool is_there, host::exists(facts.host(), path));
        if (is_there || !is_program) {
            TRY_ASSIGN(auto demand, demand_for(arguments, path, facts.host()));
            demands.push_back(std::move(demand));
        }
    }
    return demands.empty() ? Result<Outcome>(Outcome::not_applicable("there is no such program"))
                           : judge_audit(facts, std::move(demands));
}

constexpr std::array kSudoArguments{
    ArgumentSpec{"permissions", ValueType::Text, true, "what is done to the file: r, w, x and a for attributes", {}},
};

/// The last `Defaults logfile` for everybody; those for single users are files of their own.
Result<Outcome> evaluate_sudo_log(const Arguments& arguments, Facts& facts)
{
    const auto& sudoers = facts.get<Sudoers>();
    if (!sudoers) {
        return sudoers.error();
    }
    if (!sudoers->is_there) {
        return Outcome::not_applicable("there is no /etc/sudoers");
    }
    const SudoDefault* everybody = nullptr;
    std::vector<AuditDemand> demands;
    for (const auto& one : sudoers->defaults) {
        if (one.name != "logfile") {
            continue;
        }
        if (one.scope.empty()) {
            everybody = &one;
        } else if (!one.is_negated) {
            TRY_ASSIGN(auto demand, demand_for(arguments, one.value, facts.host()));
            demands.push_back(std::move(demand));
        }
    }
    if (everybody == nullptr || everybody->is_negated || !everybody->value.starts_with('/')) {
        return Outcome::of(Verdict::Fail, {"a log file of sudo to watch", "sudo has none for everybody",
                                           everybody == nullptr ? "/etc/sudoers" : everybody->origin.text()});
    }
    TRY_ASSIGN(auto demand, demand_for(arguments, everybody->value, facts.host()));
    demands.push_back(std::move(demand));
    return judge_audit(facts, std::move(demands));
}

} // namespace

const Primitive kAuditSyscallsPrimitive{
    "audit_syscalls", "Audit records system calls of 64-bit and 32-bit programs, in the files and in the kernel.",
    kSyscallArguments, evaluate_syscalls};
const Primitive kAuditFilesPrimitive{"audit_files",
                                     "Audit records what is done to files, in the files and in the kernel.",
                                     kFileArguments, evaluate_files};
const Primitive kAuditSudoLogPrimitive{"audit_sudo_log", "Audit records what is done to the log file of sudo.",
                                       kSudoArguments, evaluate_sudo_log};

} // namespace hostward::hardening
