// SPDX-License-Identifier: Apache-2.0
// Files of `NAME=value` lines that a shell or systemd's EnvironmentFile= reads: /etc/default, /etc/sysconfig, ...
// Nothing is expanded: `$NAME` stays as it is written.
#pragma once

#include "agent/host/host.h"
#include "hardening/models/lines.h"

#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct ShellAssignment {
    std::string name;
    std::string value;        ///< quotes and backslashes resolved
    bool is_appended = false; ///< `NAME+=value`
    Origin where;
};

/// Assignments that stand alone on a line, `export` before them or not.
[[nodiscard]] std::vector<ShellAssignment> parse_shell_assignments(std::string_view text, const std::string& file);

/// None if there is no such file.
[[nodiscard]] Result<std::vector<ShellAssignment>> read_shell_assignments(const host::Host& host,
                                                                          const std::string& path);

/// The one that counts in the end; null: there is none.
[[nodiscard]] const ShellAssignment* last_assignment(const std::vector<ShellAssignment>& all, std::string_view name);

/// Words of a shell line: quotes and backslashes resolved, `#` at the start of a word ends it.
[[nodiscard]] std::vector<std::string> shell_words(std::string_view line);

} // namespace hostward::hardening
