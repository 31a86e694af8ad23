// SPDX-License-Identifier: Apache-2.0
// The product as its users run it: the `hostward` binary on a cgroup, a network namespace and pins of the test's own.
#pragma once

#include "agent/base/result.h"
#include "tests/e2e/support/process.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace hostward::e2e {

/// Requests to the metadata service by version.
struct RequestSums {
    std::uint64_t v1 = 0;
    std::uint64_t v2 = 0;
    std::uint64_t unknown = 0;
};

/// What `status --json` says, as far as the tests compare it with what happens.
struct GuardStatus {
    struct Row {
        bool is_closed = false;
        std::string by;
        std::string why;
    };
    struct Counts {
        std::uint64_t allowed = 0;
        std::uint64_t denied = 0;
        std::uint64_t would_deny = 0;
        RequestSums requests;
    };
    std::string state;
    std::uint64_t generation = 0;
    std::string digest;
    bool is_sealed = false;
    bool is_agent_running = false;
    std::map<std::string, std::string> layers; ///< name -> state
    std::map<std::string, Row> rows;
    std::map<std::string, Counts> rules;
    std::map<std::string, Counts> endpoints;
    RequestSums requests;
    std::map<std::string, std::uint64_t> reasons;
    std::map<std::string, std::uint64_t> lost;
    std::string text; ///< the JSON itself, for messages
};

class Guard {
public:
    /// Nothing is loaded yet. `network`: where the guard runs, so what it takes for the host.
    [[nodiscard]] static Result<Guard> create(int network, const std::string& cgroup);
    Guard(Guard&& other) noexcept = default;
    Guard& operator=(Guard&&) = delete;
    ~Guard();

    /// `hostward guard load` with this policy.
    [[nodiscard]] Status load(const std::string& policy);
    /// `hostward guard run` with this policy; returns once it says that it enforces.
    [[nodiscard]] Result<Child> start_agent(const std::string& policy);
    /// `hostward guard unload`. Does nothing when nothing is loaded.
    [[nodiscard]] Status unload();
    [[nodiscard]] Result<GuardStatus> status() const;

    /// The policy file alone, for a running agent that is then told to reload.
    [[nodiscard]] Status write_policy(const std::string& policy) const;
    /// `hostward guard WORDS...` with the options of this guard.
    [[nodiscard]] Result<Outcome> command(const std::vector<std::string>& words) const;

    /// The same, to be started by the caller.
    [[nodiscard]] Launch launch(const std::vector<std::string>& words) const;

    [[nodiscard]] const std::string& pins() const { return pins_; }
    [[nodiscard]] const std::string& run_dir() const { return run_dir_; }

private:
    Guard() = default;

    int network_ = -1;
    std::string cgroup_;
    std::string pins_;
    std::string run_dir_;
    std::string config_;
    bool is_loaded_ = false;
};

} // namespace hostward::e2e
