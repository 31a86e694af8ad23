// SPDX-License-Identifier: Apache-2.0
// Steps of compile(), one file each. Internal to the policy library.
#pragma once

#include "agent/base/result.h"
#include "agent/config/complaints.h"
#include "agent/config/guard_config.h"
#include "agent/guard/policy.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace hostward::guard {

using RuleSet = __u64[HW_RULE_WORDS];

inline void add_rule(RuleSet& set, std::size_t rule) { set[rule / 64] |= __u64{1} << (rule % 64); }

/// The facts-table key of something that is named by numbers.
[[nodiscard]] hw_fact_key fact_key(hw_fact_kind kind, std::uint64_t a, std::uint64_t b = 0);

/// 16 bytes in network order, IPv4 as ::ffff:a.b.c.d; nothing if `text` is no address.
using AddressBytes = std::array<unsigned char, 16>;
[[nodiscard]] std::optional<AddressBytes> parse_address(const std::string& text);

/// The component pattern of `text` (one `*` at most, length within bounds), or what is wrong with it.
[[nodiscard]] Result<hw_name_key> name_pattern(std::string_view text);

/// Whether the unit pattern (with a `*`) takes in user@N.service for some N: what is below that unit, user N made.
[[nodiscard]] bool is_user_manager_pattern(std::string_view unit);

/// Enters the `unit` and `cgroup` conditions of a rule into names, shapes and patterns.
void compile_cgroups(const config::Rule& rule, std::size_t index, CompiledPolicy& out, config::Complaints& errors,
                     config::Complaints& warnings);

/// Enters endpoints, their addresses, the filter and which rules apply to each. `notes`: see CompiledPolicy.notes.
void compile_endpoints(const config::GuardConfig& config, CompiledPolicy& out, config::Complaints& errors,
                       config::Complaints& notes);

/// Fills head.digest, head.policy_digest and the digest facts.
void compile_digests(const config::GuardConfig& config, CompiledPolicy& out);

} // namespace hostward::guard
