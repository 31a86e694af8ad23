// SPDX-License-Identifier: Apache-2.0
// Rules of presets are written for hosts that differ; own rules for this one.
#include "agent/guard/policy_tables.h"
#include "tests/unit/guard/fake_resolver.h"

#include <gmock/gmock.h>

namespace hostward::guard {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

config::Rule preset_rule(const std::string& name)
{
    config::Rule out = rule(name);
    out.preset = "some";
    return out;
}

class PolicyPresets : public testing::Test {
protected:
    FakeResolver resolver_;
};

TEST_F(PolicyPresets, ARuleWithoutAnyKnownNameIsANote)
{
    auto one = preset_rule("a");
    one.users = list({"cwagent", "aoc"});
    one.groups = list({"nobody-here"});
    one.exes = list({"/opt/none"});
    const auto policy = must_compile(policy_of({one}), resolver_);
    EXPECT_THAT(policy.warnings, IsEmpty());
    EXPECT_THAT(policy.notes, ElementsAre("p.toml:1: rule \"a\" of preset \"some\": matches nothing here: "
                                          "no user \"cwagent\", \"aoc\"; no group \"nobody-here\"; "
                                          "no exe \"/opt/none\""));
    EXPECT_THAT(policy.watched_files, ElementsAre("/opt/none")) << "it may come";
    EXPECT_EQ(notes_summary(policy.notes),
              "rules of presets that match nothing on this host now: 1; hostward config check names them");
}

TEST_F(PolicyPresets, SuchARuleMatchesNobody)
{
    auto one = preset_rule("a");
    one.users = list({"cwagent"});
    const auto policy = must_compile(policy_of({one}), resolver_);
    Caller root;
    EXPECT_EQ(decide(policy, root, 0).verdict, HW_DENY);
    resolver_.users["cwagent"] = 0;
    EXPECT_EQ(decide(must_compile(policy_of({one}), resolver_), root, 0).verdict, HW_ALLOW) << "now it does";
}

TEST_F(PolicyPresets, OneKnownNameIsEnough)
{
    auto one = preset_rule("a");
    one.users = list({"cwagent", "alice"});
    const auto policy = must_compile(policy_of({one}), resolver_);
    EXPECT_THAT(policy.notes, IsEmpty());
    EXPECT_THAT(policy.warnings, IsEmpty());
    EXPECT_EQ(notes_summary(policy.notes), "");
}

TEST_F(PolicyPresets, OwnRulesStayStrict)
{
    auto own = rule("a");
    own.users = list({"cwagent"});
    own.exes = list({"/opt/none"});
    const auto policy = must_compile(policy_of({own}), resolver_);
    EXPECT_EQ(policy.warnings.size(), 2U);
    EXPECT_THAT(policy.notes, IsEmpty());
}

TEST_F(PolicyPresets, AProgramThatOthersCanReplaceDoesNotCountAndIsAWarning)
{
    resolver_.exes["/opt/open"] = file(7);
    resolver_.exes["/opt/open"].writable_by = "file \"/opt/open\" is writable by everybody";
    auto one = preset_rule("a");
    one.exes = list({"/opt/open", "/broken"});
    const auto policy = must_compile(policy_of({one}), resolver_);
    ASSERT_EQ(policy.warnings.size(), 2U);
    EXPECT_THAT(policy.warnings[0], HasSubstr("can be replaced by a user other than root"));
    EXPECT_THAT(policy.warnings[0], HasSubstr("does not match through it"));
    EXPECT_THAT(policy.warnings[1], HasSubstr("cannot be looked at"));
    EXPECT_EQ(policy.notes.size(), 1U);
    Caller caller;
    caller.exe = ExeFact{7, 8, 1};
    EXPECT_EQ(decide(policy, caller, 0).verdict, HW_DENY);
    one.preset.clear();
    EXPECT_THAT(error_of(policy_of({one})), HasSubstr("cannot be looked at")) << "an own rule is an error";
}

TEST_F(PolicyPresets, AnEndpointThatTheHostDoesNotHaveIsANote)
{
    auto one = preset_rule("a");
    one.endpoints = list({"ecs"});
    const auto policy = must_compile(policy_of({one}), resolver_);
    EXPECT_THAT(policy.notes, ElementsAre("p.toml:1: rule \"a\" of preset \"some\" is not for this host: "
                                          "endpoint \"ecs\" is not defined"));
    EXPECT_EQ(decide(policy, Caller{}, 0).verdict, HW_DENY);
    one.preset.clear();
    EXPECT_THAT(error_of(policy_of({one})), HasSubstr("endpoint \"ecs\" is not defined"));
}

TEST_F(PolicyPresets, WhyAndPresetDoNotChangeTheDigest)
{
    auto one = rule("a");
    const auto before = must_compile(policy_of({one}), resolver_);
    one.why = "because";
    one.preset = "some";
    const auto after = must_compile(policy_of({one}), resolver_);
    EXPECT_EQ(before.head.digest[0], after.head.digest[0]);
}

TEST(UserManagerPattern, TakesInSomeUsersManager)
{
    for (const char* unit :
         {"u*.service", "*.service", "user@*.service", "user@1*.service", "user@*0.service", "user@1000.ser*",
          "use*r@1000.service", "user*", "*e", "user@10*00.service", "user@1*.service", "*1000.service", "user@*"}) {
        EXPECT_TRUE(is_user_manager_pattern(unit)) << unit;
    }
    for (const char* unit : {"user@1000.service", "users*.service", "ssh*.service", "*.scope", "user-*.slice",
                             "user@x*.service", "*x.service", "session-*.scope", "user@1000.service*service",
                             "policy-routes@*.service", "user@*.service.x"}) {
        EXPECT_FALSE(is_user_manager_pattern(unit)) << unit;
    }
}

TEST_F(PolicyPresets, AUnitPatternThatTakesInUsersManagersIsAWarning)
{
    auto open = rule("open");
    open.users.clear();
    open.units = list({"a*.service", "u*.service"});
    auto bounded = rule("bounded");
    bounded.units = list({"u*.service"});
    auto deny = open;
    deny.name = "deny";
    deny.action = config::Action::Deny;
    const auto policy = must_compile(policy_of({open, bounded, deny}), resolver_);
    EXPECT_THAT(policy.warnings,
                ElementsAre("p.toml:1: rule \"open\": unit \"u*.service\" takes in user@N.service, below which user N "
                            "runs what it likes: name the units or the users that are meant"));
}

} // namespace
} // namespace hostward::guard
