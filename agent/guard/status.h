// SPDX-License-Identifier: Apache-2.0
// What the guard is doing, as read from the kernel: `guard status`, and the posture report.
#pragma once

#include "agent/base/result.h"
#include "agent/guard/options.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace hostward::guard {

enum class LayerState {
    On,
    Partial,     ///< some of its programs are attached
    Off,         ///< not attached, though this kernel may offer it
    Unavailable, ///< this kernel refused it
};

struct LayerStatus {
    std::string name; ///< "connect", "egress", "tc", "lsm", "seal"
    LayerState state = LayerState::Off;
    std::string why;                 ///< of anything but On
    std::vector<std::string> detail; ///< attached programs, or interfaces
};

/// Requests to the metadata service by what they speak.
struct RequestCounts {
    std::uint64_t v1 = 0; ///< without a token
    std::uint64_t v2 = 0;
    std::uint64_t unknown = 0; ///< not readable, and what followed on the same connection
};

struct RuleStatus {
    std::string name;
    bool allow = false;
    std::uint64_t allowed = 0;
    std::uint64_t denied = 0;
    std::uint64_t would_deny = 0; ///< audit mode
    RequestCounts requests;
};

struct EndpointStatus {
    std::string name;
    bool default_allow = false;
    std::uint64_t allowed = 0; ///< by the default, no rule having matched
    std::uint64_t denied = 0;
    std::uint64_t would_deny = 0;
    RequestCounts requests;
};

/// One row of the threat model on this host, now.
struct RowStatus {
    std::string id;    ///< stable, see rows.h
    std::string title; ///< one line
    bool closed = false;
    std::string by;  ///< the layer that closes it or would
    std::string why; ///< of an open row
};

struct GuardStatus {
    bool loaded = false;
    bool audit = false;
    bool sealed = false;
    std::uint64_t generation = 0;
    std::string policy_digest;   ///< hex
    std::uint64_t loaded_at = 0; ///< when this policy became the one in force, seconds since 1970
    std::string cgroup;
    std::string pin_dir;
    std::uint32_t abi_version = 0;
    bool agent_running = false;
    int agent_pid = 0;
    std::vector<LayerStatus> layers;
    std::vector<RuleStatus> rules;
    std::vector<EndpointStatus> endpoints;
    RequestCounts requests;                       ///< over all rules, also those that are gone
    std::map<std::string, std::uint64_t> reasons; ///< denials by reason name (reasons.h)
    std::map<std::string, std::uint64_t> lost;
    std::vector<RowStatus> rows;
};

/// Reads the pins of `options`. Not loaded is a value (loaded = false), not an error.
[[nodiscard]] Result<GuardStatus> read_status(const Options& options);

} // namespace hostward::guard
