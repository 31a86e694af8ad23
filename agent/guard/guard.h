// SPDX-License-Identifier: Apache-2.0
// The guard in the kernel, as one object: load or adopt, change the policy, take down.
#pragma once

#include "agent/base/result.h"
#include "agent/config/guard_config.h"
#include "agent/guard/events.h"
#include "agent/guard/options.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace hostward::guard {

/// What apply() did.
struct Applied {
    std::uint64_t generation = 0;
    std::size_t rules = 0;
    bool changed = false;                   ///< false: the same policy was already active, nothing was touched
    std::vector<std::string> warnings;      ///< of the policy and of layers that could not be attached
    std::vector<std::string> notes;         ///< CompiledPolicy.notes
    std::vector<std::string> watched_files; ///< programs that rules name
    std::size_t destroyed = 0;              ///< connections that the new policy no longer allows
};

/// Owner of the descriptors; the kernel objects are pinned and outlive it. One per pin directory at a time
/// (a lock in run_dir; a second one gets Conflict).
class Guard {
public:
    /// Finds pins of the same version and adopts them, or creates a new set that becomes active with the first
    /// apply(). Nothing is attached before a policy is complete. Errors: Unsupported with what the kernel
    /// lacks, Denied, Conflict.
    [[nodiscard]] static Result<std::unique_ptr<Guard>> open(const Options& options);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

    /// Compiles `config` and makes it the policy in one step; attaches and pins the first time. On any error
    /// the policy that was active stays, untouched.
    [[nodiscard]] Result<Applied> apply(const config::GuardConfig& config);

    /// Whether a policy is in force: of this object, or adopted from the pins.
    [[nodiscard]] bool has_policy() const;

    /// Flows since the last call. Exact: a grace period separates the epochs.
    [[nodiscard]] Result<std::vector<Flow>> drain();
    /// Becomes readable when there is something to drain.
    [[nodiscard]] int wake_fd() const;
    void consume_wake();
    /// Names of the rules and endpoints of the policy of `generation`, if it is still in a slot.
    [[nodiscard]] std::string rule_name(std::uint32_t rule, std::uint64_t generation) const;
    [[nodiscard]] std::string endpoint_name(std::uint32_t endpoint, std::uint64_t generation) const;
    /// Attaches the tc layer to interfaces that lack it; returns warnings.
    [[nodiscard]] std::vector<std::string> cover_interfaces();

private:
    struct Impl;
    explicit Guard(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// Takes everything down: links, tc filters, pins. Refused (Denied) while sealed. Not loaded: NotFound.
[[nodiscard]] Status unload(const Options& options);

/// Where the agent finds its policy, see config::load().
struct PolicyPlace {
    std::string path;
    std::string preset_dir = config::kPresetDir;
};

/// The agent: applies the policy of `place`, then serves until SIGTERM or SIGINT. SIGHUP, a change of the
/// account files or of a program that a rule names apply it again; new interfaces get the tc layer; flows become
/// lines in run_dir/events.jsonl and in `live`. Leaves the guard in place when it ends.
[[nodiscard]] Status run_agent(const Options& options, const PolicyPlace& place, const LiveOutput& live);

} // namespace hostward::guard
