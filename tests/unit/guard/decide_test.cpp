// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/decide.h"

#include "tests/unit/guard/fake_resolver.h"

#include <gtest/gtest.h>

namespace hostward::guard {
namespace {

/// Whether the only rule matches the caller.
bool matches(const config::Rule& rule, const Caller& caller, FakeResolver resolver = {})
{
    const auto policy = must_compile(policy_of({rule}), resolver);
    return decide(policy, caller, 0).reason == HW_REASON_RULE;
}

config::Rule unit_rule(const std::string& unit)
{
    auto out = rule("r");
    out.users = {};
    out.units = list({unit});
    return out;
}

config::Rule cgroup_rule(const std::string& path)
{
    auto out = rule("r");
    out.users = {};
    out.cgroups = list({path});
    return out;
}

Caller in_cgroup(const std::string& path)
{
    Caller caller;
    caller.cgroup_path = path;
    return caller;
}

TEST(Decide, FindsAUnitWhoseCgroupSystemdEscapes)
{
    for (const char* unit : {"cpu.service", "cp*.service", "c*.service", "*.service", "*pu.service"}) {
        EXPECT_TRUE(matches(unit_rule(unit), in_cgroup("/system.slice/_cpu.service"))) << unit;
    }
    EXPECT_TRUE(matches(unit_rule("cpu.*.service"), in_cgroup("/system.slice/_cpu.x.service")));
    EXPECT_TRUE(matches(unit_rule("_a.service"), in_cgroup("/system.slice/__a.service")));
    EXPECT_TRUE(matches(unit_rule("_*.service"), in_cgroup("/system.slice/__a.service")));
    EXPECT_FALSE(matches(unit_rule("_*.service"), in_cgroup("/system.slice/_cpu.service"))) << "its name has no _";
    EXPECT_FALSE(matches(unit_rule("pu*.service"), in_cgroup("/system.slice/_cpu.service")));
    EXPECT_FALSE(matches(unit_rule("cp*.service"), in_cgroup("/system.slice/app.service/_cpu.service")));
    // A path is what stands in the file system.
    EXPECT_TRUE(matches(cgroup_rule("/system.slice/_cpu.service"), in_cgroup("/system.slice/_cpu.service")));
    EXPECT_FALSE(matches(cgroup_rule("/system.slice/cpu.service"), in_cgroup("/system.slice/_cpu.service")));
}

TEST(Decide, WithoutRulesTheDefaultDecides)
{
    FakeResolver resolver;
    auto config = policy_of({});
    config.endpoints[0].default_action = config::Action::Allow;
    for (const auto verdict : {HW_ALLOW, HW_DENY}) {
        const auto decision = decide(must_compile(config, resolver), Caller{}, 0);
        EXPECT_EQ(decision.verdict, verdict);
        EXPECT_EQ(decision.reason, HW_REASON_DEFAULT);
        EXPECT_EQ(decision.rule, HW_NO_RULE);
        config.endpoints[0].default_action = config::Action::Deny;
    }
}

TEST(Decide, FirstMatchWins)
{
    FakeResolver resolver;
    auto deny = rule("deny");
    deny.action = config::Action::Deny;
    const auto denied_first = decide(must_compile(policy_of({deny, rule("allow")}), resolver), Caller{}, 0);
    EXPECT_EQ(denied_first.verdict, HW_DENY);
    EXPECT_EQ(denied_first.rule, 0U);
    const auto allowed_first = decide(must_compile(policy_of({rule("allow"), deny}), resolver), Caller{}, 0);
    EXPECT_EQ(allowed_first.verdict, HW_ALLOW);
    EXPECT_EQ(allowed_first.rule, 0U);
}

TEST(Decide, RealAndEffectiveUserMustBothBeNamed)
{
    Caller setuid;
    setuid.uid = 1000;
    setuid.euid = 0;
    EXPECT_FALSE(matches(rule("r"), setuid));
    std::swap(setuid.uid, setuid.euid);
    EXPECT_FALSE(matches(rule("r"), setuid));
    auto both = rule("r");
    both.users = list({"root", "alice"});
    EXPECT_TRUE(matches(both, setuid));
}

TEST(Decide, RealAndSupplementaryGroupsCount)
{
    auto by_group = rule("r");
    by_group.users = {};
    by_group.groups = list({"adm"});
    Caller caller;
    EXPECT_FALSE(matches(by_group, caller));
    caller.groups = {7, 4};
    EXPECT_TRUE(matches(by_group, caller));
    caller.groups = {};
    caller.gid = 4;
    EXPECT_TRUE(matches(by_group, caller));
}

TEST(Decide, ProgramIsInodeDeviceAndGeneration)
{
    FakeResolver resolver;
    resolver.exes["/bin/a"] = file(10, 8, 3);
    auto by_exe = rule("r");
    by_exe.exes = list({"/bin/a"});
    Caller caller;
    EXPECT_FALSE(matches(by_exe, caller, resolver)) << "no program file";
    caller.exe = ExeFact{10, 8, 3};
    EXPECT_TRUE(matches(by_exe, caller, resolver));
    for (const ExeFact other : {ExeFact{11, 8, 3}, ExeFact{10, 9, 3}, ExeFact{10, 8, 4}}) {
        caller.exe = other;
        EXPECT_FALSE(matches(by_exe, caller, resolver));
    }
}

TEST(Decide, EveryNamedConditionMustHold)
{
    FakeResolver resolver;
    resolver.exes["/bin/a"] = file(10);
    auto all = rule("r");
    all.groups = list({"adm"});
    all.exes = list({"/bin/a"});
    all.units = list({"a.service"});
    Caller good;
    good.gid = 4;
    good.exe = ExeFact{10, 8, 1};
    good.cgroup_path = "/system.slice/a.service";
    EXPECT_TRUE(matches(all, good, resolver));
    for (int spoiled = 0; spoiled < 5; ++spoiled) {
        Caller bad = good;
        bad.uid = spoiled == 0 ? 1 : bad.uid;
        bad.gid = spoiled == 1 ? 1 : bad.gid;
        bad.exe = spoiled == 2 ? std::nullopt : bad.exe;
        bad.cgroup_path = spoiled == 3 ? "/system.slice/b.service" : bad.cgroup_path;
        bad.container = spoiled == 4;
        EXPECT_FALSE(matches(all, bad, resolver)) << spoiled;
    }
}

TEST(Decide, ScopeIsHostUnlessWritten)
{
    Caller host;
    Caller container;
    container.container = true;
    auto scoped = rule("r");
    EXPECT_TRUE(matches(scoped, host));
    EXPECT_FALSE(matches(scoped, container));
    scoped.scope = config::Scope::Container;
    EXPECT_FALSE(matches(scoped, host));
    EXPECT_TRUE(matches(scoped, container));
    scoped.scope = config::Scope::Any;
    EXPECT_TRUE(matches(scoped, host));
    EXPECT_TRUE(matches(scoped, container));
}

TEST(Decide, UnitMatchesOnlyBelowSlices)
{
    const auto by_unit = unit_rule("a.service");
    EXPECT_TRUE(matches(by_unit, in_cgroup("/a.service")));
    EXPECT_TRUE(matches(by_unit, in_cgroup("/system.slice/a.service")));
    EXPECT_TRUE(matches(by_unit, in_cgroup("/system.slice/system-x.slice/a.service/below/it")));
    // A user's own service manager can name a unit as it likes, but not outside its delegated cgroup.
    EXPECT_FALSE(matches(by_unit, in_cgroup("/user.slice/user-1000.slice/user@1000.service/app.slice/a.service")));
    EXPECT_FALSE(matches(by_unit, in_cgroup("/docker/a.service")));
    EXPECT_FALSE(matches(by_unit, in_cgroup("/system.slice/aa.service")));
    EXPECT_FALSE(matches(by_unit, in_cgroup("")));
}

TEST(Decide, GlobIsOneRunOfBytesWithinAName)
{
    const auto by_unit = unit_rule("docker-*.scope");
    EXPECT_TRUE(matches(by_unit, in_cgroup("/system.slice/docker-1.scope")));
    EXPECT_TRUE(matches(by_unit, in_cgroup("/system.slice/docker-.scope"))) << "the run may be empty";
    EXPECT_FALSE(matches(by_unit, in_cgroup("/system.slice/docker.scope")));
    EXPECT_FALSE(matches(by_unit, in_cgroup("/docker-/.scope"))) << "never over a slash";
    // Before and after must not share bytes.
    EXPECT_FALSE(matches(unit_rule("a.s*.service"), in_cgroup("/a.service")));
    EXPECT_TRUE(matches(cgroup_rule("/a*a"), in_cgroup("/aa")));
    EXPECT_FALSE(matches(cgroup_rule("/a*a"), in_cgroup("/a")));
    EXPECT_TRUE(matches(cgroup_rule("/n*"), in_cgroup("/" + std::string(255, 'n')))) << "names a rule cannot spell";
    EXPECT_TRUE(matches(cgroup_rule("/a*"), in_cgroup("/a*"))) << "`*` in a caller's name is only a byte";
}

TEST(Decide, CgroupPathStartsAtTheGuardedCgroup)
{
    const auto by_path = cgroup_rule("/a/*/c");
    EXPECT_TRUE(matches(by_path, in_cgroup("/a/b/c")));
    EXPECT_TRUE(matches(by_path, in_cgroup("/a/b/c/d/e")));
    EXPECT_FALSE(matches(by_path, in_cgroup("/a/b")));
    EXPECT_FALSE(matches(by_path, in_cgroup("/x/a/b/c")));
    EXPECT_FALSE(matches(by_path, in_cgroup("/a/b/x/c")));
}

TEST(Decide, BoundsOfACallerDenyOnlyWhereTheyMatter)
{
    FakeResolver resolver;
    auto allow_all = policy_of({});
    allow_all.endpoints[0].default_action = config::Action::Allow;
    Caller crowded;
    crowded.groups.assign(HW_GROUPS_MAX + 1, 9);
    for (int i = 0; i <= HW_CGROUP_DEPTH_MAX; ++i) {
        crowded.cgroup_path += "/d";
    }
    EXPECT_EQ(decide(must_compile(allow_all, resolver), crowded, 0).verdict, HW_ALLOW);

    auto by_cgroup = allow_all;
    by_cgroup.rules = {unit_rule("a.service")};
    EXPECT_EQ(decide(must_compile(by_cgroup, resolver), crowded, 0).reason, HW_REASON_CGROUP_DEPTH);
    auto by_group = by_cgroup;
    by_group.rules[0].groups = list({"nobody-has-this"});
    const auto decision = decide(must_compile(by_group, resolver), crowded, 0);
    EXPECT_EQ(decision.reason, HW_REASON_GROUPS_OVERFLOW);
    EXPECT_EQ(decision.verdict, HW_DENY);
    EXPECT_TRUE(trace(must_compile(by_group, resolver), crowded, 0).empty()) << "no rule is asked";
}

TEST(Decide, CallerAtTheBoundsIsStillDecided)
{
    auto by_both = unit_rule("a.service");
    by_both.groups = list({"adm"});
    Caller caller;
    caller.groups.assign(HW_GROUPS_MAX, 9);
    caller.groups.back() = 4;
    for (int i = 0; i < HW_CGROUP_DEPTH_MAX - 1; ++i) {
        caller.cgroup_path += "/d.slice";
    }
    caller.cgroup_path += "/a.service";
    EXPECT_TRUE(matches(by_both, caller));
}

TEST(Decide, KernelThreadsAreDenied)
{
    FakeResolver resolver;
    auto config = policy_of({rule("r")});
    config.endpoints[0].default_action = config::Action::Allow;
    Caller caller;
    caller.kernel_thread = true;
    const auto decision = decide(must_compile(config, resolver), caller, 0);
    EXPECT_EQ(decision.verdict, HW_DENY);
    EXPECT_EQ(decision.reason, HW_REASON_KERNEL_THREAD);
}

TEST(Decide, EndpointsHaveTheirOwnRules)
{
    FakeResolver resolver;
    auto config = policy_of({rule("both"), rule("second")});
    config.endpoints.push_back(config.endpoints[0]);
    config.endpoints[1].name = "other";
    config.endpoints[1].addresses = list({"192.0.2.1"});
    config.rules[0].users = list({"alice"});
    config.rules[1].endpoints = list({"other"});
    const auto policy = must_compile(config, resolver);
    EXPECT_EQ(decide(policy, Caller{}, 0).reason, HW_REASON_DEFAULT);
    EXPECT_EQ(decide(policy, Caller{}, 1).rule, 1U);
    const unsigned char v4[4] = {192, 0, 2, 1};
    const unsigned char mapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
    EXPECT_EQ(endpoint_of(policy, endpoint_key(v4, sizeof(v4))), 1U);
    EXPECT_EQ(endpoint_of(policy, endpoint_key(mapped, sizeof(mapped))), 1U);
    const unsigned char other[4] = {192, 0, 2, 2};
    EXPECT_EQ(endpoint_of(policy, endpoint_key(other, sizeof(other))), std::nullopt);
}

TEST(Decide, TraceNamesTheFirstConditionThatFailed)
{
    FakeResolver resolver;
    std::vector<config::Rule> rules(6, rule("r"));
    for (std::size_t i = 0; i < rules.size(); ++i) {
        rules[i].name += std::to_string(i);
    }
    rules[0].scope = config::Scope::Container;
    rules[1].users = list({"alice"});
    rules[2].groups = list({"adm"});
    rules[3].exes = list({"/missing"});
    rules[4].cgroups = list({"/x"});
    Caller caller;
    caller.gid = 5;
    const auto steps = trace(must_compile(policy_of(rules), resolver), caller, 0);
    const std::vector<std::string> expected{"scope", "user", "group", "exe", "cgroup", ""};
    ASSERT_EQ(steps.size(), expected.size());
    for (std::size_t i = 0; i < steps.size(); ++i) {
        EXPECT_EQ(steps[i].failed, expected[i]);
        EXPECT_EQ(steps[i].matched, i == 5);
    }
}

} // namespace
} // namespace hostward::guard
