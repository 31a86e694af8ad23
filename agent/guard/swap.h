// SPDX-License-Identifier: Apache-2.0
// Making a compiled policy the one in use, in one step.
#pragma once

#include "agent/base/result.h"
#include "agent/guard/kernel_maps.h"
#include "agent/guard/policy.h"

#include <cstdint>

namespace hostward::guard {

/// What of a policy depends on where it runs.
struct HostFacts {
    std::uint64_t root_cgroup = 0; ///< id of the guarded cgroup
    std::uint32_t pid_ns = 0;      ///< inode numbers of the namespaces that count as "host"
    std::uint32_t net_ns = 0;
    std::uint32_t user_ns = 0;
    std::uint32_t cgroup_ns = 0;
};

/// The loader's own namespaces and the id of `cgroup_path`.
[[nodiscard]] Result<HostFacts> read_host_facts(const std::string& cgroup_path);

/// Writes `policy` to the unused slot and switches to it; returns its generation. Before the switch nothing
/// visible has changed, so an error leaves the old policy in use. Counters follow rules and
/// endpoints by name; one that a new name gets is cleared.
[[nodiscard]] Result<std::uint64_t> install_policy(const KernelMaps& maps, const CompiledPolicy& policy,
                                                   const HostFacts& host);

/// Returns when no program that started before the call is still running.
[[nodiscard]] Status wait_for_readers(const KernelMaps& maps);

} // namespace hostward::guard
