// SPDX-License-Identifier: Apache-2.0
// augenrules(8): the files of /etc/audit/rules.d made into one, in the order in which auditctl then reads it.
#pragma once

#include "hardening/models/audit_load.h"

#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct AuditFile {
    std::string path;
    std::string text;
};

/// The order of `ls -v`: numbers within names count as numbers.
[[nodiscard]] bool version_less(std::string_view one, std::string_view other);

/// Names of a folder that augenrules takes, in its order.
[[nodiscard]] std::vector<std::string> augenrules_order(std::vector<std::string> names);

/// `knows_blank_class`: whether this host's awk knows `\s`. mawk of Debian does not: an option with blanks before it
/// then stays where it is.
[[nodiscard]] std::vector<AuditLine> augenrules_lines(const std::vector<AuditFile>& files, bool knows_blank_class);

/// Lines of one file that auditctl reads by itself.
[[nodiscard]] std::vector<AuditLine> auditctl_lines(const AuditFile& file);

} // namespace hostward::hardening
