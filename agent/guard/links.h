// SPDX-License-Identifier: Apache-2.0
// Attaching programs and keeping them attached by pins. Private to agent/guard.
#pragma once

#include "agent/base/result.h"
#include "agent/guard/bpf_objects.h"
#include "agent/guard/pins.h"

#include <string>
#include <vector>

namespace hostward::guard {

/// Attaches one program of the guard object to the cgroup for as long as the link is held: no pin.
[[nodiscard]] Result<UniqueFd> attach_for_now(const BpfObject& object, const std::string& program, int cgroup_fd);

/// Attaches every program of the guard object to the cgroup and pins the links in `directory`.
[[nodiscard]] Status attach_to_cgroup(const BpfObject& object, int cgroup_fd, const std::string& directory);

/// Puts the programs of `object` in the place of those behind the links pinned in `directory`, one hook at a
/// time and each atomically; a missing or detached link is attached anew.
[[nodiscard]] Status replace_in_cgroup(const BpfObject& object, int cgroup_fd, const std::string& directory);

/// Detaches every link pinned in `directory` that can be, at once: removing a pin alone lets the kernel take its time.
void detach_links(const std::string& directory);

/// Whether the pinned link still holds its program at `cgroup_id` (a detached link stays as a file).
[[nodiscard]] bool link_is_attached(const std::string& path, std::uint64_t cgroup_id);

/// How one program of an optional layer fared.
struct Attempt {
    std::string program;
    std::string problem; ///< empty: attached and pinned
};

/// Programs of `id` without a link pinned in `directory`.
[[nodiscard]] std::vector<std::string> missing_links(ObjectId id, const std::string& directory);

/// Tries each of `programs` of an LSM object, in a child with a deadline: an attach can hang for ever on
/// kernels whose RCU-tasks grace periods stall. One that fails does not keep the others out. Attached links are pinned
/// as directory/link_<program>, replacing a pin of the same name; an empty `directory` lets them go again at once.
[[nodiscard]] std::vector<Attempt> attach_lsm(ObjectId id, const std::vector<std::string>& programs,
                                              const KernelMaps& maps, const std::string& directory);

/// Why security programs would attach and never run: the kernel's list of active modules lacks bpf, or the list
/// cannot be read. Empty: they run.
[[nodiscard]] std::string lsm_inactive_reason();

} // namespace hostward::guard
