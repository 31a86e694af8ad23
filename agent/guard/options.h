// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace hostward::guard {

/// Where one guard lives. Two guards with different pin directories do not know of each other.
struct Options {
    std::string cgroup;                           ///< guarded cgroup; empty: the root of the cgroup2 mount
    std::string pin_dir = "/sys/fs/bpf/hostward"; ///< on a bpf file system
    std::string run_dir = "/run/hostward";        ///< lock, agent.pid, events.jsonl
};

/// Where the agent's event lines go while they happen, beside the file.
struct LiveOutput {
    int lines = 1;       ///< descriptor for plain lines, borrowed: standard output
    std::string journal; ///< socket of the journal, if `lines` is the journal's: entries then have fields. Else empty
};

} // namespace hostward::guard
