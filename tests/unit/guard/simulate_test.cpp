// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/simulate.h"
#include "tests/unit/guard/fake_resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace hostward::guard {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// Curl, run by alice in a unit and allowed by rule "old".
EventRecord event()
{
    EventRecord out;
    out.outcome = Outcome::Allow;
    out.reason = "rule";
    out.rule = "old";
    out.endpoint = "imds";
    out.hook = "connect4";
    out.first_ns = 10;
    out.last_ns = 20;
    out.uid = out.euid = 1000;
    out.gid = 100;
    out.user = "alice";
    out.exe = "/usr/bin/curl";
    out.exe_fact = ExeFact{11, 8, 1};
    out.cgroup = "/system.slice/a.service";
    return out;
}

EventRecord denied(const std::string& reason = "default")
{
    EventRecord out = event();
    out.outcome = Outcome::Deny;
    out.reason = reason;
    out.rule.clear();
    return out;
}

config::Rule by_user(const std::string& name, const std::string& user)
{
    config::Rule out = rule(name);
    out.users = list({user});
    return out;
}

config::Rule by_exe(const std::string& name, const std::string& exe)
{
    config::Rule out = rule(name);
    out.users.clear();
    out.exes = list({exe});
    return out;
}

class SimulateTest : public testing::Test {
protected:
    SimulateTest() { resolver_.exes["/usr/bin/curl"] = file(11); }

    Simulation simulate(const config::GuardConfig& policy, const std::vector<EventRecord>& events)
    {
        Simulator simulator(policy, must_compile(policy, resolver_), resolver_,
                            [](std::uint32_t uid) { return std::vector<std::uint32_t>(uid == 1000 ? 1 : 0, 4); });
        for (const auto& event : events) {
            simulator.add(event);
        }
        return simulator.finish();
    }
    Simulation simulate(const std::vector<config::Rule>& rules, const std::vector<EventRecord>& events)
    {
        return simulate(policy_of(rules), events);
    }
    /// Why this one event cannot be told; empty if it can.
    std::string why(const std::vector<config::Rule>& rules, const EventRecord& event)
    {
        const Simulation out = simulate(rules, {event});
        EXPECT_EQ(out.cannot_tell.decisions, out.untold.empty() ? 0U : 1U);
        return out.untold.empty() ? "" : out.untold[0].why;
    }

    FakeResolver resolver_;
};

TEST_F(SimulateTest, SaysWhoWouldBeRefusedAndByWhat)
{
    config::Rule no = by_user("no-alice", "alice");
    no.action = config::Action::Deny;
    EventRecord often = event();
    often.count = 7;
    EventRecord later = event();
    later.first_ns = 5;
    later.last_ns = 30;
    const Simulation by_rule = simulate({no}, {often, later});
    ASSERT_THAT(by_rule.would_be_refused, SizeIs(1));
    const Simulated& entry = by_rule.would_be_refused[0];
    EXPECT_EQ(entry.user, "alice (uid 1000)");
    EXPECT_EQ(entry.exe, "/usr/bin/curl");
    EXPECT_EQ(entry.place, "a.service");
    EXPECT_EQ(entry.endpoint, "imds");
    EXPECT_EQ(entry.was.rule, "old");
    EXPECT_EQ(entry.now.rule, "no-alice");
    EXPECT_EQ(entry.seen.decisions, 8U) << "lines carry counts";
    EXPECT_EQ(entry.seen.first_ns, 5);
    EXPECT_EQ(entry.seen.last_ns, 30);
    EXPECT_EQ(by_rule.refused.decisions, 8U);
    EXPECT_TRUE(by_rule.stays_allowed.empty());
    const Simulation by_default = simulate({by_user("bob", "bob")}, {event()});
    ASSERT_THAT(by_default.would_be_refused, SizeIs(1));
    EXPECT_EQ(by_default.would_be_refused[0].now.rule, "");
    EXPECT_EQ(by_default.would_be_refused[0].now.reason, "default");
}

TEST_F(SimulateTest, SaysWhoWouldBeAllowed)
{
    const Simulation out = simulate({by_exe("curl", "/usr/bin/curl")}, {denied()});
    ASSERT_THAT(out.would_be_allowed, SizeIs(1));
    EXPECT_EQ(out.would_be_allowed[0].was.reason, "default");
    EXPECT_EQ(out.would_be_allowed[0].now.rule, "curl");
    EXPECT_EQ(out.allowed.decisions, 1U);
    EXPECT_TRUE(out.stays_denied.empty());
}

TEST_F(SimulateTest, WhatAuditModeLetPassWasDenied)
{
    EventRecord passed = denied();
    passed.outcome = Outcome::WouldDeny;
    const Simulation stays = simulate({by_user("bob", "bob")}, {passed, denied()});
    EXPECT_EQ(stays.stays_denied.decisions, 2U);
    EXPECT_EQ(stays.passed_in_audit.decisions, 1U);
    EXPECT_EQ(simulate({by_user("alice", "alice")}, {passed}).allowed.decisions, 1U);
}

TEST_F(SimulateTest, CountsRequestsApartAndSaturates)
{
    EventRecord request = event();
    request.hook = "request";
    request.count = std::numeric_limits<std::uint64_t>::max();
    const Simulation out = simulate({by_user("alice", "alice")}, {event(), request, request});
    EXPECT_EQ(out.stays_allowed.decisions, 1U);
    EXPECT_EQ(out.stays_allowed.requests, std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(simulate({by_user("bob", "bob")}, {request}).would_be_refused[0].seen.decisions, 0U);
}

TEST_F(SimulateTest, AFactThatIsAskedForAndLackingIsNeverUnchanged)
{
    const std::vector<config::Rule> exe{by_exe("curl", "/usr/bin/curl")};
    config::Rule unit = by_user("unit", "alice");
    unit.units = list({"a.service"});
    EventRecord lacking = denied();
    lacking.exe_trust_known = false;
    EXPECT_THAT(why(exe, lacking), HasSubstr("can be trusted"));
    lacking = denied();
    lacking.exe_fact.reset();
    EXPECT_THAT(why(exe, lacking), HasSubstr("program is not recorded"));
    lacking = denied();
    lacking.exe = "/usr/bin/gone";
    EXPECT_THAT(why(exe, lacking), HasSubstr("not on this host any more"));
    lacking.exe = "/broken";
    EXPECT_THAT(why(exe, lacking), HasSubstr("cannot be looked at"));
    lacking.exe = ".../curl";
    EXPECT_THAT(why(exe, lacking), HasSubstr("path of its program"));
    lacking = denied();
    lacking.euid.reset();
    EXPECT_THAT(why(exe, lacking), HasSubstr("who asked"));
    lacking = denied();
    lacking.container_known = false;
    EXPECT_THAT(why(exe, lacking), HasSubstr("in a container"));
    lacking = denied();
    lacking.cgroup = "";
    EXPECT_THAT(why({unit}, lacking), HasSubstr("cgroup is not recorded"));
    lacking.cgroup = ".../a.service";
    EXPECT_THAT(why({unit}, lacking), HasSubstr("too deep"));
    lacking = denied();
    lacking.endpoint = "";
    EXPECT_THAT(why(exe, lacking), HasSubstr("which endpoint"));
    lacking.endpoint = "else\nwhere";
    EXPECT_THAT(why(exe, lacking), HasSubstr("no endpoint \"else\\x0awhere\""));
}

TEST_F(SimulateTest, AFactThatDoesNotMatterMayLack)
{
    EventRecord lacking = denied();
    lacking.exe_fact.reset();
    lacking.exe_trust_known = false;
    lacking.cgroup.clear();
    lacking.gid.reset();
    EXPECT_EQ(simulate({by_user("bob", "bob")}, {lacking}).stays_denied.decisions, 1U);
    // Whatever the program is: one of these rules matches, and both allow.
    const Simulation both = simulate({by_exe("curl", "/usr/bin/curl"), by_user("alice", "alice")}, {lacking});
    ASSERT_THAT(both.would_be_allowed, SizeIs(1));
    EXPECT_EQ(both.would_be_allowed[0].now.rule, "") << "nobody knows which";
    EXPECT_EQ(both.would_be_allowed[0].now.reason, "");
}

TEST_F(SimulateTest, ARuleMeansTheFileThatHasItsPathNow)
{
    resolver_.exes["/usr/bin/curl"] = file(4711); // upgraded since
    EXPECT_EQ(simulate({by_exe("curl", "/usr/bin/curl")}, {event()}).stays_allowed.decisions, 1U);
    EventRecord untrusted = denied();
    untrusted.exe_untrusted = true;
    EXPECT_EQ(simulate({by_exe("curl", "/usr/bin/curl")}, {untrusted}).stays_denied.decisions, 1U);
    EventRecord contained = denied();
    contained.container = true;
    config::Rule anywhere = by_exe("curl", "/usr/bin/curl");
    anywhere.scope = config::Scope::Any;
    EXPECT_EQ(simulate({anywhere}, {contained}).stays_denied.decisions, 1U) << "another file of that path";
}

TEST_F(SimulateTest, WhatARuleNamesMayBeSomethingElseHere)
{
    EventRecord gone = event();
    gone.exe = "/usr/bin/gone";
    EXPECT_THAT(why({by_exe("gone", "/usr/bin/gone")}, gone), HasSubstr("which a rule names"));
    gone.outcome = Outcome::Deny;
    EXPECT_THAT(why({by_exe("gone", "/usr/bin/gone")}, gone), HasSubstr("which a rule names"));
    EventRecord elsewhere = denied();
    elsewhere.uid = elsewhere.euid = 4711; // alice's number on another host
    EXPECT_THAT(why({by_user("alice", "alice")}, elsewhere), HasSubstr("\"alice\" does not have the number 4711"));
    EXPECT_EQ(why({by_user("number", "4711")}, elsewhere), "");
    EXPECT_EQ(why({by_user("bob", "bob")}, elsewhere), "");
    EventRecord taken = denied();
    taken.user = "zoe"; // has the number there that is alice's here
    EXPECT_THAT(why({by_user("alice", "alice")}, taken), HasSubstr("\"zoe\""));
    EXPECT_EQ(why({by_user("number", "1000")}, taken), "");
    taken.user.clear();
    EXPECT_EQ(why({by_user("alice", "alice")}, taken), "");
}

TEST_F(SimulateTest, GroupsAreThoseOfTheAccountFilesWhereTheyMatter)
{
    config::Rule adm = rule("adm");
    adm.users.clear();
    adm.groups = list({"adm"});
    const Simulation hangs = simulate({adm}, {denied()});
    EXPECT_EQ(hangs.allowed.decisions, 1U);
    EXPECT_EQ(hangs.by_groups.decisions, 1U);
    EventRecord real = denied();
    real.gid = 4;
    EXPECT_TRUE(simulate({adm}, {real}).by_groups.empty()) << "the real group is recorded";
    EXPECT_TRUE(simulate({by_user("alice", "alice"), adm}, {denied()}).by_groups.empty());
    adm.scope = config::Scope::Any;
    EventRecord contained = denied();
    contained.container = true;
    EXPECT_THAT(why({adm}, contained), HasSubstr("in a container"));
}

TEST_F(SimulateTest, WhatNoRuleDecidesStaysAsItIs)
{
    const std::vector<config::Rule> all{by_user("alice", "alice")};
    for (const char* reason : {"untagged", "malformed", "no_socket", "packet_socket", "source_route", "kernel_thread",
                               "unreadable", "tag_full"}) {
        EXPECT_EQ(simulate(all, {denied(reason)}).stays_denied.decisions, 1U) << reason;
    }
    for (const char* reason : {"stale", "ptrace", "sealed", "no_policy", "of-tomorrow", ""}) {
        EXPECT_NE(why(all, denied(reason)), "") << reason;
    }
    EventRecord odd = denied("untagged");
    odd.outcome = Outcome::Allow;
    EXPECT_THAT(why(all, odd), HasSubstr("contradicts"));
    EXPECT_EQ(simulate(all, {denied("fd_received")}).allowed.decisions, 1U) << "its receiver may ask himself";
}

TEST_F(SimulateTest, SettingsDecideToo)
{
    config::GuardConfig open = policy_of({});
    open.forwarded = open.bypass_sockets = config::Action::Allow;
    open.seal_until_reboot = true;
    const Simulation out = simulate(open, {denied("forwarded"), denied("bypass_socket"), denied("sealed")});
    EXPECT_EQ(out.allowed.decisions, 2U);
    EXPECT_EQ(out.stays_denied.decisions, 1U);
    EXPECT_EQ(simulate(policy_of({}), {denied("forwarded"), denied("bypass_socket")}).stays_denied.decisions, 2U);
}

TEST_F(SimulateTest, WhatWasOutOfBoundsIsSoForPoliciesThatLook)
{
    config::Rule unit = by_user("unit", "alice");
    unit.units = list({"a.service"});
    EventRecord deep = denied("cgroup_depth");
    deep.cgroup = ".../a.service";
    EXPECT_EQ(simulate({unit}, {deep}).stays_denied.decisions, 1U);
    EXPECT_EQ(simulate({by_user("alice", "alice")}, {deep}).allowed.decisions, 1U);
    config::Rule adm = by_user("adm", "alice");
    adm.groups = list({"adm"});
    EXPECT_EQ(simulate({adm}, {denied("groups_overflow")}).stays_denied.decisions, 1U);
    EXPECT_EQ(simulate({by_user("alice", "alice")}, {denied("groups_overflow")}).allowed.decisions, 1U);
}

TEST_F(SimulateTest, SaysOfWhatItHasSeenNothing)
{
    config::GuardConfig policy = policy_of({});
    policy.endpoints.push_back({"ecs", {at("169.254.170.2")}, config::Action::Deny, {}});
    EXPECT_THAT(simulate(policy, {event()}).unseen_endpoints, ElementsAre("ecs"));
    EXPECT_THAT(simulate(policy, {}).unseen_endpoints, ElementsAre("imds", "ecs"));
}

TEST_F(SimulateTest, ListsAreBoundedAndSumsAreNot)
{
    std::vector<EventRecord> events(Simulator::kListedMax + 10, event());
    for (std::size_t i = 0; i < events.size(); ++i) {
        events[i].exe_untrusted = true;
        events[i].exe = "/tmp/" + std::to_string(i);
    }
    events[1].count = 3;
    const Simulation out = simulate({by_user("bob", "bob")}, events);
    EXPECT_THAT(out.would_be_refused, SizeIs(Simulator::kListedMax));
    EXPECT_EQ(out.would_be_refused[0].exe, "/tmp/1") << "most often seen first";
    EXPECT_EQ(out.unlisted.decisions, 10U);
    EXPECT_EQ(out.refused.decisions, events.size() + 2);
    EXPECT_EQ(out.all.decisions, events.size() + 2);
    EXPECT_THAT(out.untold, IsEmpty());
}

} // namespace
} // namespace hostward::guard
