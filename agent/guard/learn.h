// SPDX-License-Identifier: Apache-2.0
// What was denied, or would have been, as rules that allow it: the pure part of `guard learn`.
#pragma once

#include "agent/guard/events_record.h"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace hostward::guard {

/// What callers that are one to us were seen doing.
struct Sighting {
    static constexpr std::size_t kNamesMax = 8; ///< of each kind; what comes later is not listed

    std::uint64_t count = 0; ///< decisions and the requests that followed
    std::int64_t first_ns = 0;
    std::int64_t last_ns = 0;
    std::uint64_t imdsv1 = 0; ///< decisions of requests known to be IMDSv1
    /// As recorded: any bytes.
    std::set<std::string> users;
    std::set<std::string> exes;
    std::set<std::string> places; ///< units, or cgroups where there is no unit

    void add(const EventRecord& event);
};

struct LearnedRule {
    config::Rule rule;
    Sighting seen;
    std::vector<std::string> remarks; ///< what to think of before it is taken, one sentence each
};

/// Callers that get no rule.
struct NotLearned {
    std::string why; ///< one sentence
    Sighting seen;
    std::string allowed_by; ///< a learned rule that lets them pass nevertheless; empty: they stay denied
};

struct Learned {
    std::vector<LearnedRule> rules; ///< in the order to write them; the names are unique beside the present ones, too
    std::vector<NotLearned> refused;
    std::uint64_t events = 0;          ///< denied, or would have been
    std::uint64_t decisions = 0;       ///< in them
    std::uint64_t allowed_already = 0; ///< decisions that the present policy allows
    std::uint64_t too_many = 0;        ///< decisions of callers beyond Learner::kCallersMax: in neither list
    std::int64_t first_ns = 0;
    std::int64_t last_ns = 0;
};

/// Takes events one by one. The rules are the narrowest that still hold at the next run: by unit and user; where the
/// unit says little or there is none, by program and user; else by user. Never by a program whose file is deleted,
/// in memory or replaceable, and never for what a rule of the present policy denies.
class Learner {
public:
    static constexpr std::size_t kCallersMax = 4096; ///< different callers remembered

    /// The supplementary groups of a user, which no event has, for `group` conditions of the present policy.
    using GroupsOf = std::function<std::vector<std::uint32_t>(std::uint32_t uid)>;

    /// `present`: the policy that the rules are to be added to; an error (Invalid) if it does not compile.
    /// `resolver` must outlive the learner.
    [[nodiscard]] static Result<Learner> create(const config::GuardConfig& present, Resolver& resolver,
                                                GroupsOf groups);
    ~Learner();
    Learner(Learner&&) noexcept;
    Learner& operator=(Learner&&) noexcept;

    void add(const EventRecord& event);

    /// The rules; callers seen fewer than `min_count` times are listed, not proposed. An error if the rules do not
    /// fit behind the present ones. Once only.
    [[nodiscard]] Result<Learned> finish(std::uint64_t min_count = 1);

private:
    struct Impl;
    explicit Learner(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace hostward::guard
