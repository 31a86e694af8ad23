// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/learn.h"
#include "tests/unit/guard/fake_resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hostward::guard {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Curl, run by alice in a login.
EventRecord event()
{
    EventRecord out;
    out.outcome = Outcome::WouldDeny;
    out.reason = "default";
    out.endpoint = "imds";
    out.uid = out.euid = 1000;
    out.user = "alice";
    out.exe = "/usr/bin/curl";
    out.exe_fact = ExeFact{11, 8, 1};
    out.cgroup = "/user.slice/user-1000.slice/session-3.scope";
    return out;
}

EventRecord as_root(EventRecord event)
{
    event.uid = event.euid = 0;
    event.user = "root";
    return event;
}

EventRecord in(const std::string& cgroup, EventRecord event)
{
    event.cgroup = cgroup;
    return event;
}

EventRecord with(const std::string& exe, EventRecord event)
{
    event.exe = exe;
    event.exe_fact = ExeFact{exe.size(), 8, 1};
    return event;
}

class Learning : public testing::Test {
protected:
    Learning()
    {
        world_.exes["/usr/bin/curl"] = file(11);
        world_.exes["/usr/bin/python3.11"] = file(19);
        world_.exes["/usr/bin/python3.11"].interpreter = true;
        world_.exes["/opt/x"] = file(6);
        world_.exes["/opt/x"].writable_by = "group 50";
        world_.exes["/opt/v1.2/x"] = file(11);
    }

    Learned learn(const std::vector<EventRecord>& events, std::uint64_t min_count = 1)
    {
        auto learner = Learner::create(present_, world_, [this](std::uint32_t) { return groups_; });
        EXPECT_TRUE(learner.ok());
        for (const auto& one : events) {
            learner->add(one);
        }
        auto learned = learner->finish(min_count);
        EXPECT_TRUE(learned.ok()) << (learned.ok() ? "" : learned.error().text);
        return learned.take();
    }

    /// The one rule as `user=.. exe=.. unit=.. cgroup=.. scope endpoint`, or why there is none.
    std::string rule_for(const EventRecord& one)
    {
        const Learned learned = learn({one});
        if (learned.rules.size() + learned.refused.size() != 1) {
            return "not one answer";
        }
        return learned.rules.empty() ? "none: " + learned.refused[0].why : text(learned.rules[0].rule);
    }

    static std::string text(const config::Rule& rule)
    {
        std::string out = list_text("user", rule.users) + list_text("exe", rule.exes);
        out += list_text("unit", rule.units) + list_text("cgroup", rule.cgroups);
        out += rule.scope == config::Scope::Container ? "container" : "host";
        return out + list_text("", rule.endpoints);
    }
    static std::string list_text(const std::string& key, const std::vector<config::At<std::string>>& list)
    {
        std::string out;
        for (const auto& value : list) {
            out += (out.empty() ? (key.empty() ? " " : key + "=") : ",") + value.value;
        }
        return out.empty() || key.empty() ? out : out + " ";
    }

    FakeResolver world_;
    config::GuardConfig present_ = policy_of({});
    std::vector<std::uint32_t> groups_;
};

TEST_F(Learning, UnitAndUserFirst)
{
    EXPECT_EQ(rule_for(in("/system.slice/a.service", event())), "user=alice unit=a.service host imds");
    EXPECT_EQ(rule_for(in("/system.slice/a.service", with("/usr/bin/python3.11", as_root(event())))),
              "user=root unit=a.service host imds");
}

TEST_F(Learning, ProgramAndUserWhereTheUnitSaysLittle)
{
    EXPECT_EQ(rule_for(event()), "user=alice exe=/usr/bin/curl host imds");
    EXPECT_EQ(rule_for(in("/system.slice/cron.service", event())),
              "user=alice exe=/usr/bin/curl unit=cron.service host imds");
    EXPECT_EQ(rule_for(in("/", as_root(event()))), "user=root exe=/usr/bin/curl host imds");
}

TEST_F(Learning, UserWhereTheProgramSaysNothing)
{
    EXPECT_EQ(rule_for(with("/usr/bin/python3.11", event())), "user=alice host imds");
    EXPECT_EQ(rule_for(with("/opt/x", event())), "user=alice host imds");
    EXPECT_EQ(rule_for(with("/gone", event())), "user=alice host imds");
    EXPECT_EQ(rule_for(with("/broken", event())), "user=alice host imds");
    EXPECT_EQ(rule_for(with(".../curl", event())), "user=alice host imds");
    EXPECT_EQ(rule_for(with("/a\n/b", event())), "user=alice host imds");
    EXPECT_EQ(rule_for(with("/a/../b", event())), "user=alice host imds");
    EXPECT_EQ(rule_for(in("/system.slice/cron.service", with("/usr/bin/python3.11", event()))),
              "user=alice unit=cron.service host imds");
}

TEST_F(Learning, RootAloneIsNoIdentity)
{
    const auto script = with("/usr/bin/python3.11", as_root(event()));
    EXPECT_EQ(rule_for(script), "user=root unit=user-1000.slice host imds") << "sudo: that login only";
    EXPECT_THAT(rule_for(in("/", script)), HasSubstr("everything that root runs"));
}

TEST_F(Learning, ASetUserIdProgramNeedsBothUsers)
{
    auto one = event();
    one.euid = 0;
    EXPECT_EQ(rule_for(one), "user=alice,root exe=/usr/bin/curl host imds");
    EXPECT_THAT(rule_for(with("/gone", one)), HasSubstr("set-user-id"));
}

TEST_F(Learning, ContainersByTheirRuntime)
{
    auto one = as_root(event());
    one.container = true;
    EXPECT_EQ(rule_for(in("/system.slice/docker-0123456789abcdef.scope", one)),
              "user=root unit=docker-*.scope container imds");
    EXPECT_EQ(rule_for(in("/docker/0123456789abcdef", one)), "user=root cgroup=/docker container imds");
    EXPECT_EQ(rule_for(in("/system.slice/private-network.service", one)),
              "user=root unit=private-network.service container imds");
    EXPECT_THAT(rule_for(in("/", one)), HasSubstr("every container"));
    EXPECT_EQ(rule_for(one), "user=root unit=user-1000.slice container imds");
}

TEST_F(Learning, AProgramWithoutAFileIsNeverProposed)
{
    auto one = in("/system.slice/a.service", event());
    one.exe_untrusted = true;
    const Learned learned = learn({one});
    EXPECT_TRUE(learned.rules.empty());
    ASSERT_EQ(learned.refused.size(), 1U);
    EXPECT_THAT(learned.refused[0].why, HasSubstr("never proposed"));
    EXPECT_EQ(learned.refused[0].allowed_by, "");
}

TEST_F(Learning, SaysWhoPassesByTheRuleOfAnother)
{
    auto deleted = in("/system.slice/a.service", event());
    deleted.exe_untrusted = true;
    const Learned learned = learn({deleted, in("/system.slice/a.service", event())});
    ASSERT_EQ(learned.rules.size(), 1U);
    ASSERT_EQ(learned.refused.size(), 1U);
    EXPECT_EQ(learned.refused[0].allowed_by, learned.rules[0].rule.name);
}

TEST_F(Learning, WhatNoRuleHelpsIsListed)
{
    auto one = event();
    one.reason = "untagged";
    EXPECT_THAT(rule_for(one), HasSubstr("no rule can allow it"));
    one = event();
    one.euid = std::nullopt;
    EXPECT_THAT(rule_for(one), HasSubstr("not known who"));
    EXPECT_THAT(rule_for(in(".../a", event())), HasSubstr("too deep"));
    one = event();
    one.endpoint = "other";
    EXPECT_THAT(rule_for(one), HasSubstr("no endpoint \"other\""));
    one = event();
    one.uid = one.euid = 0xffffffff;
    EXPECT_THAT(rule_for(one), HasSubstr("not known who"));
}

TEST_F(Learning, ThePresentPolicyIsKept)
{
    auto allowed = rule("ops");
    allowed.users.clear();
    allowed.groups = list({"adm"});
    auto denied = rule("not-bob");
    denied.users = list({"bob"});
    denied.action = config::Action::Deny;
    present_ = policy_of({allowed, denied});
    auto bob = event();
    bob.uid = bob.euid = 1001;
    const Learned learned = learn({bob, event()});
    ASSERT_EQ(learned.rules.size(), 1U);
    EXPECT_EQ(text(learned.rules[0].rule), "user=alice exe=/usr/bin/curl host imds");
    ASSERT_EQ(learned.refused.size(), 1U);
    EXPECT_THAT(learned.refused[0].why, HasSubstr("\"not-bob\" denies it on purpose"));
    groups_ = {4};
    EXPECT_EQ(learn({event()}).rules.size(), 0U);
    EXPECT_EQ(learn({event()}).allowed_already, 1U);
}

TEST_F(Learning, AProgramUpgradedSinceIsTheSame)
{
    auto by_exe = rule("curl");
    by_exe.users = list({"alice"});
    by_exe.exes = list({"/usr/bin/curl"});
    present_ = policy_of({by_exe});
    auto old = event();
    old.exe_fact = ExeFact{99, 8, 1};
    EXPECT_EQ(learn({old}).allowed_already, 1U);
    present_ = policy_of({});
    const Learned learned = learn({old});
    ASSERT_EQ(learned.rules.size(), 1U);
    EXPECT_THAT(learned.rules[0].remarks, ElementsAre(HasSubstr("was replaced since")));
}

TEST_F(Learning, CountsAndNames)
{
    auto first = event();
    first.count = 3;
    first.first_ns = 5;
    first.last_ns = 9;
    auto second = in("/user.slice/user-1000.slice/session-4.scope", event());
    second.count = 4;
    second.first_ns = 2;
    second.last_ns = 8;
    second.imds_version = "1";
    auto allowed = event();
    allowed.outcome = Outcome::Allow;
    const Learned learned = learn({first, second, allowed});
    ASSERT_EQ(learned.rules.size(), 1U);
    const Sighting& seen = learned.rules[0].seen;
    EXPECT_EQ(seen.count, 7U);
    EXPECT_EQ(seen.first_ns, 2);
    EXPECT_EQ(seen.last_ns, 9);
    EXPECT_EQ(seen.imdsv1, 4U);
    EXPECT_THAT(seen.users, ElementsAre("alice (uid 1000)"));
    EXPECT_THAT(seen.places, ElementsAre("session-3.scope", "session-4.scope"));
    EXPECT_EQ(learned.events, 2U);
    EXPECT_EQ(learned.decisions, 7U);
    EXPECT_EQ(learn({first, second}, 7).rules.size(), 1U);
    EXPECT_EQ(learn({first, second}, 8).rules.size(), 0U);
    EXPECT_EQ(learn({first, second}, 8).refused.size(), 1U);
}

TEST_F(Learning, NamesAreUniqueAndPlain)
{
    present_ = policy_of({rule("learned-curl-alice")});
    auto one = event();
    EXPECT_EQ(learn({one}).rules[0].rule.name, "learned-curl-alice-2");
    world_.exes["/usr/local/bin/curl"] = file(11);
    const Learned two = learn({one, with("/usr/local/bin/curl", event())});
    ASSERT_EQ(two.rules.size(), 2U);
    EXPECT_NE(two.rules[0].rule.name, two.rules[1].rule.name);
    world_.users["a b" + std::string(80, 'u')] = 1000;
    one.user = "a b" + std::string(80, 'u');
    const auto odd = learn({in("/system.slice/\xc3\xa4 " + std::string(90, 'x') + "\"#.service", one)});
    ASSERT_EQ(odd.rules.size(), 1U) << "finish() compiled it, so the name is good";
    EXPECT_LE(odd.rules[0].rule.name.size(), 64U);
}

TEST_F(Learning, AUserIsANumberUnlessTheNameStillMeansIt)
{
    auto one = event();
    one.user = "bob";
    EXPECT_EQ(rule_for(one), "user=1000 exe=/usr/bin/curl host imds");
    one.user = "1000";
    EXPECT_EQ(rule_for(one), "user=1000 exe=/usr/bin/curl host imds");
    one.user = "";
    EXPECT_EQ(rule_for(one), "user=1000 exe=/usr/bin/curl host imds");
}

TEST_F(Learning, WarnsOfAVersionInThePath)
{
    const Learned learned = learn({with("/opt/v1.2/x", event())});
    ASSERT_EQ(learned.rules.size(), 1U);
    EXPECT_THAT(learned.rules[0].remarks, ElementsAre(HasSubstr("has a version in it")));
}

TEST_F(Learning, KeepsItsBounds)
{
    std::vector<EventRecord> events;
    for (std::uint32_t uid = 1; uid <= Learner::kCallersMax + 10; ++uid) {
        events.push_back(event());
        events.back().uid = events.back().euid = uid;
        events.back().user = "";
    }
    const Learned learned = learn(events);
    EXPECT_EQ(learned.rules.size(), std::size_t{HW_RULES_MAX});
    EXPECT_EQ(learned.refused.size(), Learner::kCallersMax - HW_RULES_MAX);
    EXPECT_EQ(learned.too_many, 10U);
    EXPECT_EQ(learned.decisions, events.size());
}

TEST_F(Learning, MorePatternsThanAPolicyHasRoomForAreListed)
{
    std::vector<EventRecord> events;
    for (std::size_t length = 1; length <= HW_SHAPES_MAX + 3; ++length) {
        events.push_back(in("/system.slice/" + std::string(length, 'x') + "@1-2-3.service", event()));
    }
    for (std::size_t i = 0; i < HW_PATTERNS_MAX + 2; ++i) {
        events.push_back(in("/folder" + std::to_string(i) + std::string(1, 'x') + "/y", event()));
    }
    const Learned learned = learn(events);
    EXPECT_EQ(learned.rules.size(), std::size_t{HW_SHAPES_MAX + HW_PATTERNS_MAX});
    EXPECT_EQ(learned.refused.size(), 5U);
}

TEST_F(Learning, NeedsAPolicyThatCompiles)
{
    present_ = policy_of({rule("twice"), rule("twice")});
    EXPECT_FALSE(Learner::create(present_, world_, [](std::uint32_t) { return std::vector<std::uint32_t>{}; }).ok());
}

} // namespace
} // namespace hostward::guard
