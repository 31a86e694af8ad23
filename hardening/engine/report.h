// SPDX-License-Identifier: Apache-2.0
// The one result of a check, which every output format shows.
#pragma once

#include "hardening/engine/comparison.h"
#include "hardening/engine/tailoring.h"

#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace hostward::hardening {

enum class WaiverState {
    Holds,
    Expired, ///< no longer counts, and is reported
};

struct AppliedWaiver {
    Waiver waiver;
    WaiverState state = WaiverState::Holds;
};

/// One recommendation's result.
struct Finding {
    const Recommendation* recommendation = nullptr; ///< of the profile, which outlives this
    const Rule* rule = nullptr;                     ///< null: no rule decides it yet
    std::map<std::string, Value> parameters;        ///< as they were used
    Outcome outcome;
    std::optional<AppliedWaiver> waiver;
    std::chrono::microseconds took{0};

    /// A failure that no waiver covers.
    [[nodiscard]] bool is_open_failure() const
    {
        return outcome.verdict == Verdict::Fail && (!waiver || waiver->state != WaiverState::Holds);
    }
    [[nodiscard]] std::string title() const { return rule != nullptr ? rule->title : recommendation->topic; }
};

struct Subject {
    std::string host_name; ///< empty if it cannot be told
    std::string os;        ///< PRETTY_NAME
    std::string root;      ///< "/": the running host
    bool is_running = true;
};

struct Report {
    const Profile* profile = nullptr;
    Subject subject;
    int level = 2;
    bool is_workstation = false;
    std::int64_t started_s = 0; ///< since 1970
    std::chrono::microseconds took{0};
    std::vector<Finding> findings;      ///< in the order of the profile
    std::vector<Waiver> orphan_waivers; ///< for rules that this run did not look at
    std::optional<Comparison> since;    ///< an earlier report, if one was given

    [[nodiscard]] int level_of(const Recommendation& one) const
    {
        return is_workstation ? one.workstation : one.server;
    }
    [[nodiscard]] std::size_t count(Verdict verdict) const;
    [[nodiscard]] std::size_t open_failures() const;
    /// Passes among what could be told (pass and fail), 0 to 100, or nothing if nothing could.
    [[nodiscard]] std::optional<double> score() const;
};

/// What of a profile is looked at.
struct Selection {
    int level = 2; ///< 1: level 1 only
    bool is_workstation = false;
    std::vector<std::string> rules; ///< globs over rule ids and numbers, `*` and `?`; none: all
};

/// Whether the recommendation is looked at.
[[nodiscard]] bool is_selected(const Recommendation& one, const Selection& selection);

/// Called before each rule: its place among all, and how many there are.
using Progress = std::function<void(std::size_t done, std::size_t all, const Recommendation& next)>;

[[nodiscard]] Report run_profile(const Profile& profile, const Library& library, const Tailoring& tailoring,
                                 const Selection& selection, Facts& facts, const Progress& progress = nullptr);

/// How much of a profile is decided.
struct Coverage {
    std::size_t automated = 0;
    std::size_t decided = 0; ///< automated ones with a rule
    std::size_t manual = 0;
    std::size_t guided = 0; ///< manual ones with guidance
    [[nodiscard]] std::size_t missing() const { return automated - decided; }
};

[[nodiscard]] Coverage coverage_of(const Profile& profile);

} // namespace hostward::hardening
