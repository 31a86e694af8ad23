// SPDX-License-Identifier: Apache-2.0
// What the kernel probe asks and how each answer is provoked.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hostward::probe {

/// Causes the event that a program waits for. Runs in a network namespace and a cgroup of its own.
using Trigger = void (*)();

/// One feature: all its programs load, attach, and the last one sees the event.
struct ProgramFact {
    const char* name;
    std::vector<const char*> programs; ///< names in kernel_probe.bpf.c
    Trigger trigger;
};

/// Empty when it works, else why it does not.
using Answer = std::string;

/// A feature that needs no program of ours.
struct DirectFact {
    const char* name;
    Answer (*ask)();
};

[[nodiscard]] const std::vector<ProgramFact>& program_facts();
[[nodiscard]] const std::vector<DirectFact>& direct_facts();

} // namespace hostward::probe
