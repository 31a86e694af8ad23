// SPDX-License-Identifier: Apache-2.0
// One recorded decision, asked of another policy. Internal to the policy library.
#pragma once

#include "agent/guard/learn_identity.h"
#include "agent/guard/simulate.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace hostward::guard {

struct Judgement {
    std::optional<bool> allowed; ///< none: it cannot be told
    Cause cause;
    std::string why; ///< why it cannot be told
    bool by_groups = false;
};

class Judge {
public:
    Judge(const config::GuardConfig& config, CompiledPolicy policy, Resolver& resolver, Simulator::GroupsOf groups);

    [[nodiscard]] Judgement ask(const EventRecord& event);
    [[nodiscard]] const CompiledPolicy& policy() const { return policy_; }

private:
    /// A program as far as it is known.
    struct Program {
        bool known = false;
        std::optional<ExeFact> fact; ///< none: matches no rule with exe
        std::string why;             ///< why it is not known
    };
    /// What is asked: two events with the same one have the same answer.
    struct Question {
        Caller caller; ///< without groups; its program only where that is known
        Program program;
        std::uint32_t endpoint = 0;
    };
    using Groups = std::vector<std::uint32_t>;

    void remember_names(const config::Rule& rule);
    [[nodiscard]] Judgement by_rules(const EventRecord& event);
    [[nodiscard]] Judgement by_setting(const EventRecord& event, bool allows) const;
    [[nodiscard]] Judgement still_denied(const EventRecord& event) const;
    [[nodiscard]] std::optional<std::uint32_t> endpoint_of(const EventRecord& event) const;
    [[nodiscard]] std::string no_endpoint(const EventRecord& event) const;
    [[nodiscard]] std::string missing(const EventRecord& event) const;
    [[nodiscard]] std::string differs_here(const EventRecord& event);
    [[nodiscard]] std::optional<std::uint32_t> user(const std::string& name);
    [[nodiscard]] bool is_out_of_bounds(const EventRecord& event) const;
    [[nodiscard]] Program program_of(const EventRecord& event);
    [[nodiscard]] Judgement answer(const Question& question);
    [[nodiscard]] Judgement decide_all(const Question& question, const std::vector<Groups>& groups) const;
    [[nodiscard]] Cause cause_of(const Decision& decision) const;
    [[nodiscard]] const Groups& account_groups(std::uint32_t uid);
    [[nodiscard]] bool asks_groups() const { return (policy_.head.flags & HW_HEAD_HAS_GROUPS) != 0; }
    [[nodiscard]] bool asks_cgroups() const { return (policy_.head.flags & HW_HEAD_HAS_CGROUPS) != 0; }

    CompiledPolicy policy_;
    bool seals_;
    Resolver& resolver_;
    ExeBook exes_;
    std::map<std::string, std::optional<std::uint32_t>> users_; ///< names asked for, each once
    std::set<std::string> named_users_;                         ///< by a rule, as a name
    std::set<std::uint32_t> named_uids_;                        ///< what these names are here
    std::set<std::string> named_exes_;
    Simulator::GroupsOf groups_of_;
    std::map<std::uint32_t, Groups> account_groups_;
    std::vector<std::optional<ExeFact>> any_program_; ///< none of the policy's programs, and each of them
    std::vector<Groups> any_groups_;                  ///< none of the policy's groups, and each of them

    using Key = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::string, bool, bool, std::string,
                           std::uint32_t, std::tuple<std::uint64_t, std::uint32_t, std::uint32_t>>;
    [[nodiscard]] static Key key_of(const Question& question);
    std::map<Key, Judgement> answered_;
};

} // namespace hostward::guard
