// SPDX-License-Identifier: Apache-2.0
// What a policy would change of what was recorded: the pure part of `guard explain --policy`.
#pragma once

#include "agent/guard/events_record.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace hostward::guard {

/// What decided, by the names of the events. Both empty: one of several things, and nobody can say which.
struct Cause {
    std::string reason;
    std::string rule; ///< empty: it was no rule
};

/// How often something was recorded, as the counts of the lines say.
struct Tally {
    std::uint64_t decisions = 0;
    std::uint64_t requests = 0; ///< on connections that were decided before: of the same callers
    std::int64_t first_ns = 0;  ///< since 1970, as last_ns
    std::int64_t last_ns = 0;

    [[nodiscard]] bool empty() const { return decisions == 0 && requests == 0; }
    void add(const EventRecord& event);
};

/// One caller and endpoint whose decisions a policy changes in one way, or about whom it cannot be said.
struct Simulated {
    /// As recorded: any bytes. Empty: not known.
    std::string user;
    std::string exe;
    std::string place; ///< unit, as a pattern where its name is another one each time; cgroup where there is no unit
    std::string endpoint;
    bool container = false;
    bool was_allowed = false;
    Cause was;
    Cause now;       ///< what cannot be told has none
    std::string why; ///< why it cannot be told, one clause; else empty
    Tally seen;
};

struct Simulation {
    /// Every recorded decision is in exactly one of these. What audit mode let pass is a denial.
    Tally stays_allowed;
    Tally stays_denied;
    Tally refused; ///< allowed when it was recorded
    Tally allowed; ///< denied when it was recorded
    Tally cannot_tell;

    std::vector<Simulated> would_be_refused; ///< most often seen first, as in the other two
    std::vector<Simulated> would_be_allowed;
    std::vector<Simulated> untold;
    Tally unlisted; ///< beyond Simulator::kListedMax: in the sums above, in none of the lists

    Tally all;
    Tally passed_in_audit; ///< of stays_denied: nobody was refused then
    Tally by_groups;       ///< hang on supplementary groups, which no event has: those of the account files were taken
    std::vector<std::string> unseen_endpoints; ///< of the policy, that no event is about
    std::uint64_t damaged_lines = 0;           ///< were events once, nobody can read them; filled by the reader
};

/// Takes events one by one. An event without a fact that the policy asks for is never counted as unchanged: it cannot
/// be told, unless the decision is the same whatever the fact is.
///
/// An endpoint is the one of the same name; the program of a caller on the host is the file that has its path now, as
/// it is for a rule. A user or a program that a rule names and that is not the same here cannot be told.
class Simulator {
public:
    static constexpr std::size_t kListedMax = 4096;

    /// The supplementary groups of a user by the account files.
    using GroupsOf = std::function<std::vector<std::uint32_t>(std::uint32_t uid)>;

    /// `policy` is what compile() made of `config` with `resolver`, which must outlive the simulator.
    Simulator(const config::GuardConfig& config, CompiledPolicy policy, Resolver& resolver, GroupsOf groups);
    ~Simulator();
    Simulator(Simulator&&) noexcept;
    Simulator& operator=(Simulator&&) noexcept;

    void add(const EventRecord& event);

    /// Once only.
    [[nodiscard]] Simulation finish();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace hostward::guard
