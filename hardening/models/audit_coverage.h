// SPDX-License-Identifier: Apache-2.0
// What a set of audit rules records of what should be recorded. Rules are asked as the kernel asks them: the first
// that matches decides. A rule with further conditions records only a part, so it does not count.
#pragma once

#include "hardening/models/audit_rule.h"
#include "hardening/models/audit_syscalls.h"
#include "hardening/models/path_names.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hostward::hardening {

/// Whose doings should be recorded.
enum class AuditUsers {
    Everybody,
    LoggedIn, ///< whoever logged in (auid is set): no services
    People,   ///< who logged in as an account for people (auid >= UID_MIN)
};

/// Something that should be recorded, of programs of 64 and of 32 bits.
struct AuditDemand {
    std::vector<std::string> syscalls; ///< all of them, those that an architecture does not have left out; or:
    std::string path;                  ///< access to this file, or to everything below it if it is a directory
    std::uint32_t permissions = 0;     ///< AUDIT_PERM_*, of that path
    bool is_directory = false;
    AuditUsers users = AuditUsers::Everybody;
    std::uint32_t first_person = 1000;           ///< UID_MIN
    std::optional<std::int32_t> exit;            ///< only what ends with this error: -EACCES
    bool as_other_user = false;                  ///< only what runs as another user than the caller: euid is not uid
    std::optional<std::uint32_t> first_argument; ///< only calls with this first argument
};

struct AuditGap {
    std::string what; ///< `adjtimex of 32-bit programs`
    std::string why;  ///< `no rule`, `RULE before takes it out`
    Origin where;     ///< of the rule that takes it out
};

struct AuditCoverage {
    std::vector<AuditGap> gaps; ///< one for each reason and architecture
    std::vector<Origin> by;     ///< rules that record what is recorded, each once
};

[[nodiscard]] AuditCoverage audit_coverage(const std::vector<AuditRule>& rules, const AuditDemand& demand,
                                           AuditMachine machine, PathNames& names);

/// For people: `adjtimex, settimeofday`, `write, attributes of /etc/passwd`.
[[nodiscard]] std::string audit_demand_text(const AuditDemand& demand);

} // namespace hostward::hardening
