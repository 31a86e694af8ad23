// SPDX-License-Identifier: Apache-2.0
// Random policies and callers about one World. What is made is always valid: compile() must accept it.
#pragma once

#include "agent/config/guard_config.h"
#include "agent/guard/decide.h"
#include "tests/bpf/oracle/rng.h"
#include "tests/bpf/oracle/world.h"

namespace hostward::test {

enum class Width {
    Mixed,  ///< rules with one to four kinds of condition
    Narrow, ///< rules with all kinds, so that few match and late ones are reached
};

/// A policy with `rules` rules (at most HW_RULES_MAX) that stays within every bound and often reaches it.
[[nodiscard]] config::GuardConfig random_config(Rng& rng, const World& world, std::size_t rules,
                                                Width width = Width::Mixed);

struct CallerOptions {
    bool kernel_threads = true; ///< false where callers must be real processes
    bool containers = true;
};

/// A caller; half of them are made to satisfy most of some rule, so that late rules are reached too.
[[nodiscard]] guard::Caller random_caller(Rng& rng, const World& world, const config::GuardConfig& config,
                                          const CallerOptions& options = {});

/// An address of the policy, or now and then one that is not guarded; as text.
[[nodiscard]] std::string random_address(Rng& rng, const config::GuardConfig& config);

} // namespace hostward::test
