// SPDX-License-Identifier: Apache-2.0
// Facts about the kernel and its mounts, from files. Private to agent/guard.
#pragma once

#include "agent/guard/doctor.h"

#include <string>
#include <string_view>

namespace hostward::guard {

[[nodiscard]] KernelFacts read_kernel_facts();
[[nodiscard]] PlaceFacts read_place_facts(const std::string& pin_dir);

/// The level in brackets of /sys/kernel/security/lockdown; "" if there is none.
[[nodiscard]] std::string lockdown_level(std::string_view text);

/// Whether `capability` is in the set, or implied by CAP_SYS_ADMIN in it where `capability` is one of BPF's.
[[nodiscard]] bool has_capability(std::uint64_t set, unsigned capability);

} // namespace hostward::guard
