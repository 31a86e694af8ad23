// SPDX-License-Identifier: Apache-2.0
// The kinds of process that hostward runs as. docs/privilege.md has a row for each.
#pragma once

#include <array>
#include <string_view>

namespace hostward::sandbox {

enum class Program {
    Config,       ///< config print
    GuardRead,    ///< guard status, metrics, events
    GuardExplain, ///< guard explain, guard learn, config check: they look at processes and programs of others
    Guard,        ///< guard run
    GuardChange,  ///< guard load, guard unload
    GuardDoctor,  ///< guard doctor: tries everything in a namespace of its own
    Check,
    ReportCollect, ///< report of root, until it has the posture and gives up root
    Report,
    Verify,
};

inline constexpr std::array kPrograms{
    Program::Config,      Program::GuardRead, Program::GuardExplain,  Program::Guard,  Program::GuardChange,
    Program::GuardDoctor, Program::Check,     Program::ReportCollect, Program::Report, Program::Verify};

/// As messages and docs/privilege.md call it: `guard-run`.
[[nodiscard]] std::string_view name_of(Program program);

} // namespace hostward::sandbox
