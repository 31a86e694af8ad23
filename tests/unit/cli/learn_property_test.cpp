// SPDX-License-Identifier: Apache-2.0
// Random events, learned, printed, parsed again and asked: nothing that got a rule is denied, nobody else is allowed,
// and no text breaks out of its comment or string. HOSTWARD_SEED repeats a run.
#include "agent/base/text.h"
#include "agent/cli/learn_view.h"
#include "agent/guard/events_text.h"
#include "agent/guard/learn_place.h"
#include "agent/guard/simulate_judge.h"
#include "tests/unit/guard/fake_resolver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <random>

namespace hostward::cli {
namespace {

using guard::EventRecord;

constexpr int kRounds = 300;
constexpr int kStrangersPerRound = 60;
constexpr std::uint32_t kNobodysUid = 4242;

const std::vector<std::string> kPrograms{"/usr/bin/curl",
                                         "/usr/bin/aws",
                                         "/usr/bin/python3.11",
                                         "/usr/bin/bash",
                                         "/srv/writable",
                                         "/gone",
                                         "/usr/bin/quo\"te",
                                         "/usr/bin/back\\slash\\",
                                         "/usr/bin/new\nline = \"x\"",
                                         "/usr/bin/#]]\t[[guard.rule]]",
                                         "/usr/bin/st*r",
                                         "/usr/bin/'''",
                                         "/usr/bin/\xff\xfe",
                                         "/usr/bin/\xc3\xa4",
                                         "/usr/bin/\x7f\x01",
                                         "/snap/x/123/bin/x"};
const std::vector<std::string> kPlaces{"/",
                                       "/init.scope",
                                       "/system.slice/a.service",
                                       "/system.slice/a.service/below",
                                       "/system.slice/b.service",
                                       "/system.slice/cron.service",
                                       "/system.slice/run-r1234.scope",
                                       "/system.slice/docker-0123456789ab.scope",
                                       "/system.slice/docker-9876543210ba.scope",
                                       "/system.slice/system-t.slice/t@3-44-0.service",
                                       "/system.slice/quo\"te\\.service",
                                       "/system.slice/new\nline.service",
                                       "/system.slice/st*r.service",
                                       "/kubepods.slice/kubepods-pod1.slice/cri-containerd-0123456789ab.scope",
                                       "/docker/0123456789ab",
                                       "/user.slice/user-1000.slice/session-1.scope",
                                       "/user.slice/user-1000.slice/user@1000.service/app.slice/a.service",
                                       "/user.slice/user-1001.slice/session-2.scope",
                                       ".../deep/a.service"};
const std::vector<std::pair<std::string, std::uint32_t>> kUsers{{"root", 0}, {"alice", 1000},       {"bob", 1001},
                                                                {"", 5000},  {"no\nbo\"dy", 65534}, {"12", 77}};

std::uint64_t seed()
{
    const char* given = std::getenv("HOSTWARD_SEED");
    return given == nullptr ? std::random_device{}() : parse_number<std::uint64_t>(given).value_or(0);
}

class Random {
public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}
    std::size_t below(std::size_t end) { return engine_() % end; }
    bool one_in(std::size_t n) { return below(n) == 0; }
    template <typename List> const auto& pick(const List& list) { return list[below(list.size())]; }

private:
    std::mt19937_64 engine_;
};

guard::FakeResolver make_world()
{
    guard::FakeResolver world;
    for (std::size_t i = 0; i < kPrograms.size(); ++i) {
        if (kPrograms[i] != "/gone") {
            world.exes[kPrograms[i]] = guard::file(100 + i);
        }
    }
    for (const char* name : {"/usr/bin/python3.11", "/usr/bin/bash"}) {
        world.exes[name].interpreter = true;
    }
    world.exes["/srv/writable"].writable_by = "group 50";
    world.users["no\nbo\"dy"] = 65534;
    return world;
}

bool says_something(const std::string& exe)
{
    static const std::vector<std::string> kNothing{"/usr/bin/python3.11", "/usr/bin/bash", "/srv/writable", "/gone"};
    const bool is_readable = std::ranges::none_of(exe, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; });
    return is_readable && exe.find('\xff') == std::string::npos && std::ranges::find(kNothing, exe) == kNothing.end();
}

EventRecord random_event(Random& random)
{
    const auto program = random.below(kPrograms.size());
    const auto& [user, uid] = random.pick(kUsers);
    EventRecord out;
    out.outcome = random.one_in(8) ? guard::Outcome::Allow : guard::Outcome::WouldDeny;
    out.reason = random.one_in(12) ? "untagged" : "default";
    out.count = 1 + random.below(5);
    out.endpoint = random.one_in(15) ? "else\nwhere\"" : "imds";
    out.uid = uid;
    out.euid = random.one_in(8) ? random.pick(kUsers).second : uid;
    out.gid = uid;
    out.user = random.one_in(6) ? "alice" : user;
    out.exe = kPrograms[program];
    out.exe_fact = guard::ExeFact{100 + program, 8, 1};
    out.exe_untrusted = random.one_in(10);
    out.cgroup = random.pick(kPlaces);
    out.container = random.one_in(3);
    out.imds_version = random.one_in(4) ? "1" : "";
    return out;
}

config::GuardConfig random_present(Random& random)
{
    config::GuardConfig present = guard::policy_of({});
    if (random.one_in(2)) {
        present.rules.push_back(guard::rule("no-bob"));
        present.rules.back().users = guard::list({"bob"});
        present.rules.back().action = config::Action::Deny;
    }
    if (random.one_in(2)) {
        present.rules.push_back(guard::rule("learned-curl-alice"));
        present.rules.back().users = guard::list({"alice"});
        present.rules.back().units = guard::list({"a.service"});
    }
    return present;
}

guard::Learned learn(const config::GuardConfig& present, guard::Resolver& world, const std::vector<EventRecord>& events)
{
    auto learner = guard::Learner::create(present, world, [](std::uint32_t) { return std::vector<std::uint32_t>{}; });
    EXPECT_TRUE(learner.ok());
    for (const auto& event : events) {
        learner->add(event);
    }
    auto learned = learner->finish();
    EXPECT_TRUE(learned.ok()) << (learned.ok() ? "" : learned.error().text);
    return learned.take();
}

std::vector<std::string> plain(const std::vector<config::At<std::string>>& list)
{
    std::vector<std::string> out;
    for (const auto& value : list) {
        out.push_back(value.value);
    }
    return out;
}

/// The printed text means the learned rules, all of them and nothing else.
void expect_same_rules(const guard::Learned& learned, const config::GuardConfig& parsed)
{
    ASSERT_EQ(parsed.rules.size(), learned.rules.size());
    for (std::size_t i = 0; i < parsed.rules.size(); ++i) {
        const auto& got = parsed.rules[i];
        const auto& want = learned.rules[i].rule;
        EXPECT_EQ(got.name, want.name);
        EXPECT_EQ(got.action, config::Action::Allow);
        EXPECT_EQ(got.scope, want.scope);
        EXPECT_EQ(plain(got.users), plain(want.users));
        EXPECT_EQ(plain(got.exes), plain(want.exes));
        EXPECT_EQ(plain(got.units), plain(want.units));
        EXPECT_EQ(plain(got.cgroups), plain(want.cgroups));
        EXPECT_EQ(plain(got.endpoints), plain(want.endpoints));
        EXPECT_TRUE(got.groups.empty());
    }
    EXPECT_EQ(parsed.mode, config::Mode::Enforce) << "the rules say nothing else";
}

/// The name of a place without what a number or an instance makes of it.
std::string kind_of(const std::string& cgroup)
{
    const std::string unit = guard::unit_of(cgroup);
    const std::string name = unit.empty() ? cgroup.substr(0, cgroup.find('/', 1)) : unit;
    return name.substr(0, name.find_first_of("0123456789@"));
}

/// Whether `event` is a reason to let `caller` pass, said in another way than the learner does.
bool justifies(const EventRecord& event, const EventRecord& caller)
{
    const bool is_user = (caller.uid == event.uid || caller.uid == event.euid) &&
                         (caller.euid == event.uid || caller.euid == event.euid);
    if (!is_user || caller.container != event.container || event.exe_untrusted) {
        return false;
    }
    const guard::Place place = guard::stable_place(event.cgroup);
    const bool has_place = place.why_not.empty();
    const bool same_place = has_place && kind_of(event.cgroup) == kind_of(caller.cgroup);
    const bool by_exe = !event.container && says_something(event.exe);
    const bool same_exe = by_exe && event.exe == caller.exe && !caller.exe_untrusted;
    if (has_place) {
        return same_place && (!place.is_runner || !by_exe || same_exe);
    }
    const bool same_login =
        !place.login_slice.empty() && caller.cgroup.find("/" + place.login_slice + "/") != std::string::npos;
    const bool by_user = !by_exe && event.uid == event.euid && !event.container && event.uid != 0U;
    return same_exe || by_user || (!by_exe && same_login);
}

struct Seen {
    std::size_t learned = 0;
    std::size_t told = 0; ///< of the learned, by a simulation
    std::size_t refused = 0;
    std::size_t strangers_allowed = 0;
    std::size_t strangers_denied = 0;
};

struct Round {
    guard::FakeResolver world = make_world();
    config::GuardConfig present;
    std::vector<EventRecord> events;
    config::GuardConfig all; ///< present, and what was learned
    guard::CompiledPolicy policy;

    guard::Decision ask(const EventRecord& event) const
    {
        return guard::decide(policy, guard::caller_of(event, {}), 0);
    }
};

void learn_all(Round& round)
{
    const guard::Learned learned = learn(round.present, round.world, round.events);
    const std::string text = learn_toml(learned);
    const auto parsed = config::parse(text, "learned.toml");
    ASSERT_TRUE(parsed.ok()) << parsed.error().text << "\n" << text;
    expect_same_rules(learned, *parsed);
    round.all = round.present;
    round.all.rules.insert(round.all.rules.end(), parsed->rules.begin(), parsed->rules.end());
    round.policy = guard::must_compile(round.all, round.world);
}

void expect_events_pass(Round& round, Seen& seen)
{
    guard::Judge judge(round.all, round.policy, round.world,
                       [](std::uint32_t) { return std::vector<std::uint32_t>{}; });
    for (const auto& event : round.events) {
        if (event.outcome == guard::Outcome::Allow) {
            continue;
        }
        const bool is_refused = !learn(round.present, round.world, {event}).refused.empty();
        (is_refused ? seen.refused : seen.learned) += 1;
        if (!is_refused) {
            EXPECT_EQ(round.ask(event).verdict, HW_ALLOW) << event.exe << " in " << event.cgroup;
            const auto judged = judge.ask(event);
            const bool is_same_user = event.user.empty() || round.world.user(event.user) == event.uid;
            EXPECT_NE(judged.allowed, false) << "simulated: " << event.exe << " in " << event.cgroup;
            EXPECT_TRUE(judged.allowed || !is_same_user) << judged.why;
            seen.told += judged.allowed ? 1U : 0U;
        }
    }
}

void expect_strangers_stay_out(Round& round, Random& random, Seen& seen)
{
    for (int i = 0; i < kStrangersPerRound; ++i) {
        EventRecord stranger = random_event(random);
        const auto decision = round.ask(stranger);
        const bool by_learned = decision.rule != HW_NO_RULE && decision.rule >= round.present.rules.size();
        const bool justified =
            std::ranges::any_of(round.events, [&](const auto& event) { return justifies(event, stranger); });
        (by_learned ? seen.strangers_allowed : seen.strangers_denied) += 1;
        EXPECT_TRUE(!by_learned || justified) << round.policy.rule_names[decision.rule] << " lets pass uid "
                                              << *stranger.uid << " with " << stranger.exe << " in " << stranger.cgroup;
        stranger.uid = stranger.euid = kNobodysUid;
        EXPECT_EQ(round.ask(stranger).verdict, HW_DENY);
    }
}

TEST(LearnProperty, AllowsWhatWasSeenAndNothingElse)
{
    const std::uint64_t start = seed();
    std::cout << "HOSTWARD_SEED=" << start << "\n";
    Random random(start);
    Seen seen;
    for (int i = 0; i < kRounds && !testing::Test::HasFailure(); ++i) {
        Round round;
        round.present = random_present(random);
        for (std::size_t n = 1 + random.below(12); n > 0; --n) {
            round.events.push_back(random_event(random));
        }
        learn_all(round);
        if (testing::Test::HasFatalFailure()) {
            return;
        }
        expect_events_pass(round, seen);
        expect_strangers_stay_out(round, random, seen);
    }
    // A run that never met a case says nothing about it.
    EXPECT_GT(seen.learned, 200U);
    EXPECT_GT(seen.told, 150U);
    EXPECT_GT(seen.refused, 200U);
    EXPECT_GT(seen.strangers_allowed, 200U);
    EXPECT_GT(seen.strangers_denied, 1000U);
}

} // namespace
} // namespace hostward::cli
