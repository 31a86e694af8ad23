// SPDX-License-Identifier: Apache-2.0
// Which system calls a process may make: a table with reasons, and the rules that come of it. Data, no kernel.
#pragma once

#include "agent/sandbox/program.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::sandbox {

/// What becomes of a system call.
enum class Action {
    Allow,
    Trap,     ///< the process says which one it was, and dies of SIGSYS (agent/sandbox/trap.h)
    Denied,   ///< EPERM: libraries ask for it and go on without
    NotThere, ///< ENOSYS: libraries then take an older call, whose arguments a filter can see
};

/// (argument & mask) == value. Arguments that are int in the kernel are compared by their lower half.
struct Condition {
    unsigned argument = 0;
    std::uint64_t mask = 0;
    std::uint64_t value = 0;
};

struct Rule {
    std::string_view syscall; ///< by the kernel's name
    Action action = Action::Allow;
    std::optional<Condition> when; ///< none: always
};

/// System calls that are needed, or feared, for one reason.
struct Group {
    std::string_view name;
    std::string_view reason;
    std::vector<Rule> rules;
};

struct Filter {
    Program program = Program::Config;
    Action otherwise = Action::Trap; ///< what is in no group
    std::vector<Group> groups;
};

/// The same for each architecture: a name that one does not have is left out where the filter is made.
[[nodiscard]] Filter filter_of(Program program);

/// All filters for people and for the golden text: each group with a line per rule, then what each program has of them.
[[nodiscard]] std::string filters_text();

} // namespace hostward::sandbox
