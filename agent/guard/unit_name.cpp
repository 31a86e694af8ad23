// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/unit_name.h"

#include <algorithm>
#include <array>

namespace hostward::guard {

namespace {

/// What systemd keeps from being the start of a cgroup's name: cg_needs_escape() in systemd's
/// src/basic/cgroup-util.c, the controllers of all its versions up to 257. A name that it does not escape and we
/// take for escaped costs one more spelling in the tables, nothing else.
constexpr std::array<std::string_view, 14> kReserved{"cgroup.",      "cpu.",
                                                     "cpuacct.",     "cpuset.",
                                                     "io.",          "blkio.",
                                                     "memory.",      "devices.",
                                                     "pids.",        "bpf-firewall.",
                                                     "bpf-devices.", "bpf-socket-bind.",
                                                     "bpf-foreign.", "bpf-restrict-network-interfaces."};

} // namespace

UnitEscape unit_escape(std::string_view prefix)
{
    if (prefix.starts_with('_') || prefix.starts_with('.')) {
        return UnitEscape::Always;
    }
    if (std::ranges::any_of(kReserved, [&](std::string_view word) { return prefix.starts_with(word); })) {
        return UnitEscape::Always;
    }
    const bool open = std::ranges::any_of(kReserved, [&](std::string_view word) { return word.starts_with(prefix); });
    return open ? UnitEscape::Sometimes : UnitEscape::Never;
}

std::string cgroup_of_unit(std::string_view unit)
{
    // The kernel's files without a dot (`tasks` ...) are no names of units: those end in their kind.
    return (unit_escape(unit) == UnitEscape::Always ? "_" : "") + std::string(unit);
}

std::string_view unit_of_cgroup(std::string_view cgroup) { return cgroup.substr(cgroup.starts_with('_') ? 1 : 0); }

} // namespace hostward::guard
