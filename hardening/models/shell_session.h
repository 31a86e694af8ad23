// SPDX-License-Identifier: Apache-2.0
// What an interactive bash has after its start files: TMOUT, PATH and umask. The files are followed, not run. Where
// text does not say which way a condition goes, both ways are followed; where it does not say what a command does to
// the shell, everything that is not read-only is unknown.
#pragma once

#include "agent/base/result.h"
#include "hardening/models/facts.h"
#include "hardening/models/lines.h"

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct ShellVariable {
    enum class Value { Unset, Set, Unknown };
    Value value = Value::Unknown;
    std::string text;  ///< Set
    std::string where; ///< the last that touched it: FILE:LINE
    bool is_exported = false;
    bool is_read_only = false;
    bool may_be_exported = false;  ///< by something that cannot be followed
    bool may_be_read_only = false; ///< the same

    auto operator<=>(const ShellVariable&) const = default;
};

/// One of the ways a session may come out.
struct ShellOutcome {
    ShellVariable tmout;
    ShellVariable path;
    std::optional<std::uint32_t> umask; ///< nothing: it cannot be told
    std::string umask_where;
    std::vector<std::string> doubts; ///< conditions and commands that text does not decide
};

enum class ShellKind {
    Login,       ///< /etc/profile and the user's own
    Interactive, ///< a further shell within a login: bashrc, with the exported variables and umask of the login
};

/// The user whose shell it is.
struct ShellUser {
    std::uint32_t uid = 1000;
    std::string name;  ///< empty: any user
    std::string group; ///< primary; empty: any
    std::string home;  ///< its start files are followed; empty: only the system's
};

/// What the shell is born with.
struct ShellStart {
    std::string path;
    std::string tmout; ///< empty: not in the environment
    std::uint32_t umask = 022;
    std::string umask_where;
};

/// All ways the session may come out, none twice. None: every way ends before there is a prompt.
[[nodiscard]] Result<std::vector<ShellOutcome>>
shell_outcomes(const host::Host& host, ShellKind kind, const ShellUser& user, const std::vector<ShellStart>& starts);

/// What sessions are born with, from PAM (pam_umask of sshd and login) and login.defs: one for each umask.
[[nodiscard]] Result<std::vector<ShellStart>> shell_starts(Facts& facts, const ShellUser& user);

/// As `umask` takes it: octal, or `u=rwx,g=rx,o=`, which changes `from`. Nothing: bash refuses it.
[[nodiscard]] std::optional<std::uint32_t> umask_of(std::string_view text, std::uint32_t from);

} // namespace hostward::hardening
