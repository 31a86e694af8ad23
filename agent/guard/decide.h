// SPDX-License-Identifier: Apache-2.0
// The user-space twin of the kernel's decision: same tables, same outcome. Used by `explain` and by the
// differential tests. Pure.
#pragma once

#include "agent/guard/policy.h"

#include <cstdint>
#include <string>
#include <vector>

namespace hostward::guard {

/// Who asks, described. Mirrors hw_identity plus what the kernel looks up on the way.
struct Caller {
    std::uint32_t uid = 0;
    std::uint32_t euid = 0;
    std::uint32_t gid = 0;             ///< real; the effective gid does not count, see docs/threat-model.md
    std::vector<std::uint32_t> groups; ///< supplementary
    std::optional<ExeFact> exe;        ///< none: no program file, or an unlinked one
    std::string cgroup_path;           ///< below the guarded cgroup: "" is the guarded cgroup itself, else "/a/b"
    bool container = false;
    bool kernel_thread = false;
};

struct Decision {
    hw_verdict verdict = HW_DENY;
    hw_reason reason = HW_REASON_DEFAULT;
    std::uint32_t rule = HW_NO_RULE;
};

/// The facts-table key of an address: `address` is 4 or 16 bytes in network order.
[[nodiscard]] hw_fact_key endpoint_key(const unsigned char* address, std::size_t size);

/// Index of the endpoint that guards the address, or nothing.
[[nodiscard]] std::optional<std::uint32_t> endpoint_of(const CompiledPolicy& policy, const hw_fact_key& key);

/// Decision for a caller that wants to reach `endpoint` (index).
[[nodiscard]] Decision decide(const CompiledPolicy& policy, const Caller& caller, std::uint32_t endpoint);

/// For each rule up to the deciding one, the first condition that failed; the deciding one has `matched`.
struct RuleTrace {
    std::uint32_t rule = 0;
    bool matched = false;
    std::string failed; ///< "endpoint", "scope", "user", "group", "exe", "cgroup"
};
[[nodiscard]] std::vector<RuleTrace> trace(const CompiledPolicy& policy, const Caller& caller, std::uint32_t endpoint);

} // namespace hostward::guard
