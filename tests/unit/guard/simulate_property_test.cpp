// SPDX-License-Identifier: Apache-2.0
// Random events of one random policy, simulated: that policy changes none of them, another one changes what the
// brute-force oracle says, and what cannot be told lacks a fact. HOSTWARD_SEED repeats a run; HOSTWARD_QUICK makes it
// a tenth as long.
#include "agent/base/text.h"
#include "agent/guard/reasons.h"
#include "agent/guard/simulate_judge.h"
#include "tests/bpf/oracle/oracle.h"
#include "tests/bpf/oracle/random_policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>

namespace hostward::guard {
namespace {

constexpr std::size_t kRounds = 150;
constexpr std::size_t kEventsPerRound = 60;

std::uint64_t seed()
{
    const char* given = std::getenv("HOSTWARD_SEED");
    return given == nullptr ? std::random_device{}() : parse_number<std::uint64_t>(given).value_or(0);
}

std::size_t rounds() { return std::getenv("HOSTWARD_QUICK") == nullptr ? kRounds : kRounds / 10; }

/// An event, and what it does not tell.
struct Sample {
    EventRecord event;
    Caller caller;
    bool lacks = false; ///< a fact was taken away
};

struct Trial {
    test::World world;
    config::GuardConfig config; ///< that decided
    std::map<std::uint32_t, std::vector<std::uint32_t>> groups;
    std::vector<Sample> samples;

    [[nodiscard]] Simulator::GroupsOf groups_of() const
    {
        return [this](std::uint32_t uid) { return groups.at(uid); };
    }
};

struct Seen {
    std::size_t told = 0;
    std::size_t stays = 0;
    std::size_t refused = 0;
    std::size_t allowed = 0;
    std::size_t untold = 0;
    std::size_t untold_whole = 0; ///< though nothing was taken away
    std::size_t by_groups = 0;
};

bool names(const config::GuardConfig& config, std::vector<config::At<std::string>> config::Rule::*list)
{
    return std::ranges::any_of(config.rules, [&](const auto& rule) { return !(rule.*list).empty(); });
}

std::optional<Decision> oracle(const config::GuardConfig& config, const test::World& world, const Caller& caller,
                               const std::string& endpoint)
{
    const auto found = std::ranges::find(config.endpoints, endpoint, &config::Endpoint::name);
    return found == config.endpoints.end()
               ? std::nullopt
               : test::oracle_decide(config, world, caller, test::address_of(found->addresses.at(0).value));
}

/// Where the world has the program: a path that no rule names, so that paths and files stay apart.
std::string path_of(const ExeFact& fact, test::World& world)
{
    std::string path = "/srv/" + std::to_string(fact.inode) + "-" + std::to_string(fact.device) + "-" +
                       std::to_string(fact.generation);
    world.exes[path] = ExeInfo{fact, "", false};
    return path;
}

void describe(const Caller& caller, Trial& trial, EventRecord& event)
{
    event.uid = caller.uid;
    event.euid = caller.euid;
    event.gid = caller.gid;
    event.exe_untrusted = !caller.exe;
    event.exe_fact = caller.exe.value_or(ExeFact{1, 2, 3});
    event.exe = caller.exe ? path_of(*caller.exe, trial.world) : "/memfd:x";
    const bool is_deep = split(caller.cgroup_path, '/').size() - 1 > HW_CGROUP_DEPTH_MAX;
    event.cgroup = caller.cgroup_path.empty() ? "/" : (is_deep ? "..." : "") + caller.cgroup_path;
    event.container = caller.container;
}

void take_away(test::Rng& rng, EventRecord& event)
{
    switch (rng.below(8)) {
    case 0: event.uid.reset(); break;
    case 1: event.euid.reset(); break;
    case 2: event.gid.reset(); break;
    case 3: event.exe_fact.reset(); break;
    case 4: event.exe_trust_known = false; break;
    case 5: event.container_known = false; break;
    case 6: event.cgroup.clear(); break;
    default: event.endpoint.clear(); break;
    }
}

std::optional<Sample> random_sample(test::Rng& rng, Trial& trial)
{
    Sample out;
    out.caller = test::random_caller(rng, trial.world, trial.config);
    // Accounts decide the groups, as where nobody changes them.
    auto& groups = trial.groups.emplace(out.caller.uid, out.caller.groups).first->second;
    if (out.caller.groups.size() <= HW_GROUPS_MAX) {
        groups.resize(std::min<std::size_t>(groups.size(), HW_GROUPS_MAX));
        out.caller.groups = groups;
    }
    const auto& endpoint = rng.pick(trial.config.endpoints);
    const auto decision = oracle(trial.config, trial.world, out.caller, endpoint.name);
    const bool hides_groups = out.caller.groups.size() > HW_GROUPS_MAX && decision->reason != HW_REASON_GROUPS_OVERFLOW;
    if (hides_groups) {
        return std::nullopt; // nothing recorded says that there were so many
    }
    const bool is_audit = trial.config.mode == config::Mode::Audit;
    out.event.outcome = decision->verdict == HW_ALLOW ? Outcome::Allow : is_audit ? Outcome::WouldDeny : Outcome::Deny;
    out.event.reason = reason_wording(decision->reason).name;
    out.event.rule = decision->rule == HW_NO_RULE ? "" : trial.config.rules[decision->rule].name;
    out.event.endpoint = endpoint.name;
    out.event.count = 1 + rng.below(5);
    out.event.hook = rng.one_in(5) ? "request" : "connect4";
    describe(out.caller, trial, out.event);
    out.lacks = rng.one_in(5);
    if (out.lacks) {
        take_away(rng, out.event);
    }
    return out;
}

/// Whether an event that lacks nothing may nevertheless be one that cannot be told.
bool may_be_untold(const config::GuardConfig& policy, const Sample& sample)
{
    const bool asks_cgroups = names(policy, &config::Rule::units) || names(policy, &config::Rule::cgroups);
    const bool has_endpoint = std::ranges::count(policy.endpoints, sample.event.endpoint, &config::Endpoint::name) > 0;
    return sample.lacks || !has_endpoint || (sample.event.container && names(policy, &config::Rule::groups)) ||
           (asks_cgroups && !sample.event.cgroup.starts_with('/'));
}

void expect_as_oracle(const Trial& trial, const config::GuardConfig& policy, const Sample& sample,
                      const Judgement& judged, Seen& seen)
{
    if (!judged.allowed) {
        ++seen.untold;
        seen.untold_whole += sample.lacks ? 0 : 1;
        ASSERT_TRUE(may_be_untold(policy, sample)) << judged.why;
        ASSERT_FALSE(judged.why.empty());
        return;
    }
    const auto expected = oracle(policy, trial.world, sample.caller, sample.event.endpoint);
    ASSERT_TRUE(expected) << "an endpoint that the policy does not have";
    ASSERT_EQ(*judged.allowed, expected->verdict == HW_ALLOW) << judged.cause.reason << " " << judged.cause.rule;
    if (!judged.cause.rule.empty()) {
        ASSERT_EQ(judged.cause.rule, policy.rules[expected->rule].name);
    }
    const bool was_allowed = sample.event.outcome == Outcome::Allow;
    ++seen.told;
    ++(*judged.allowed == was_allowed ? seen.stays : was_allowed ? seen.refused : seen.allowed);
    seen.by_groups += judged.by_groups ? 1 : 0;
}

/// The sums are those of the single events.
void expect_sums(Trial& trial, const config::GuardConfig& config, const CompiledPolicy& policy,
                 const std::vector<Judgement>& judged)
{
    Simulator simulator(config, policy, trial.world, trial.groups_of());
    Simulation expected;
    for (std::size_t i = 0; i < judged.size(); ++i) {
        const EventRecord& event = trial.samples[i].event;
        const bool was_allowed = event.outcome == Outcome::Allow;
        Tally& where = !judged[i].allowed ? expected.cannot_tell
                       : *judged[i].allowed == was_allowed
                           ? (was_allowed ? expected.stays_allowed : expected.stays_denied)
                       : was_allowed ? expected.refused
                                     : expected.allowed;
        where.add(event);
        simulator.add(event);
    }
    const Simulation got = simulator.finish();
    for (const auto tally : {&Simulation::stays_allowed, &Simulation::stays_denied, &Simulation::refused,
                             &Simulation::allowed, &Simulation::cannot_tell}) {
        ASSERT_EQ((got.*tally).decisions, (expected.*tally).decisions);
        ASSERT_EQ((got.*tally).requests, (expected.*tally).requests);
    }
    std::uint64_t listed = 0;
    for (const auto* list : {&got.would_be_refused, &got.would_be_allowed, &got.untold}) {
        for (const auto& entry : *list) {
            listed += entry.seen.decisions;
        }
    }
    ASSERT_EQ(listed, got.refused.decisions + got.allowed.decisions + got.cannot_tell.decisions);
}

void simulate(Trial& trial, const config::GuardConfig& config, Seen& seen)
{
    const auto policy = compile(config, trial.world);
    ASSERT_TRUE(policy.ok()) << policy.error().text;
    Judge judge(config, *policy, trial.world, trial.groups_of());
    std::vector<Judgement> judged;
    for (const auto& sample : trial.samples) {
        judged.push_back(judge.ask(sample.event));
        expect_as_oracle(trial, config, sample, judged.back(), seen);
        ASSERT_FALSE(testing::Test::HasFatalFailure()) << "event " << judged.size();
    }
    expect_sums(trial, config, *policy, judged);
}

TEST(SimulateProperty, AgreesWithTheOracle)
{
    const std::uint64_t used_seed = seed();
    std::cout << "seed: HOSTWARD_SEED=" << used_seed << "\n";
    test::Rng rng(used_seed);
    Seen same;
    Seen other;
    for (std::size_t round = 0; round < rounds(); ++round) {
        Trial trial{test::random_world(rng), {}, {}, {}};
        trial.config = test::random_config(rng, trial.world, rng.below(40));
        const auto changed = test::random_config(rng, trial.world, rng.below(40));
        while (trial.samples.size() < kEventsPerRound) {
            if (auto sample = random_sample(rng, trial)) {
                trial.samples.push_back(std::move(*sample));
            }
        }
        simulate(trial, trial.config, same);
        simulate(trial, changed, other);
        ASSERT_FALSE(testing::Test::HasFatalFailure()) << "round " << round;
    }
    EXPECT_EQ(same.refused + same.allowed, 0U) << "the policy that decided changes nothing";
    // A run that never met a case says nothing about it.
    const std::size_t enough = rounds() / 4;
    for (const auto* seen : {&same, &other}) {
        EXPECT_GT(seen->stays, enough);
        EXPECT_GT(seen->untold, enough);
        EXPECT_GT(seen->untold_whole, enough);
        EXPECT_GT(seen->by_groups, enough);
        EXPECT_GT(seen->told, 2 * seen->untold_whole) << "most can be told";
    }
    EXPECT_GT(other.refused, enough);
    EXPECT_GT(other.allowed, enough);
}

} // namespace
} // namespace hostward::guard
