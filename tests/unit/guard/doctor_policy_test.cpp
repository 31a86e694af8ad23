// SPDX-License-Identifier: Apache-2.0
// What the doctor says of a policy.
#include "tests/unit/guard/doctor_fixture.h"

namespace hostward::guard {
namespace {

using enum Severity;
using config::Action;
using config::Scope;

/// A healthy host with these rules after one that is fine.
DoctorFacts with(const std::vector<config::Rule>& rules)
{
    DoctorFacts facts = healthy();
    auto config = *facts.policy.config;
    config.rules.insert(config.rules.end(), rules.begin(), rules.end());
    set_policy(facts, config);
    return facts;
}

config::Rule for_users(const std::string& name, const std::vector<std::string>& users)
{
    config::Rule out = rule(name);
    out.users = list(users);
    return out;
}

config::Rule for_unit(const std::string& name, const std::string& unit)
{
    config::Rule out = rule(name);
    out.users.clear();
    out.units = list({unit});
    return out;
}

config::Rule for_exe(const std::string& name, const std::string& path)
{
    config::Rule out = rule(name);
    out.users.clear();
    out.exes = list({path});
    return out;
}

DoctorFacts with_exe(const ExeInfo& info)
{
    DoctorFacts facts = with({for_exe("program", "/usr/bin/x")});
    facts.policy.exes.emplace("/usr/bin/x", info);
    return facts;
}

TEST(DoctorPolicy, File)
{
    DoctorFacts facts = healthy();
    facts.policy.compiled = invalid_error("p.toml:3: rule \"x\": has no condition");
    EXPECT_EQ(finding_of(facts, "policy-file").severity, Error);
    EXPECT_EQ(finding_of(facts, "policy-file").evidence.at(0), "p.toml:3: rule \"x\": has no condition");
    facts.policy.compiled = hostward::Error{ErrorKind::Unsupported, 0, "no iterator"}; // not the file's fault
    EXPECT_EQ(finding_of(facts, "policy-file").severity, CannotTell);
    facts.policy.config = hostward::Error{ErrorKind::NotFound, ENOENT, "No such file"};
    EXPECT_EQ(finding_of(facts, "policy-file").severity, Error);
    facts.policy.config = hostward::Error{ErrorKind::Denied, EACCES, "Permission denied"};
    EXPECT_EQ(finding_of(facts, "policy-file").severity, CannotTell);
    EXPECT_EQ(finding_of(facts, "rule-shadowed").severity, CannotTell);
}

TEST(DoctorPolicy, AuditModeIsAWarningAfterTwoWeeks)
{
    constexpr std::uint64_t kDay = 86400;
    DoctorFacts facts = healthy();
    auto config = *facts.policy.config;
    config.mode = config::Mode::Audit;
    set_policy(facts, config);
    facts.policy.age_s = 14 * kDay;
    EXPECT_EQ(complaints(facts), (Complaints{{"audit-mode", Info}}));
    facts.policy.age_s = 15 * kDay;
    EXPECT_EQ(complaints(facts), (Complaints{{"audit-mode", Warning}}));
}

TEST(DoctorPolicy, Switches)
{
    DoctorFacts facts = healthy();
    auto config = *facts.policy.config;
    config.forwarded = Action::Allow;
    set_policy(facts, config);
    EXPECT_EQ(complaints(facts), (Complaints{{"forwarded-allow", Warning}}));
    config.forwarded = Action::Deny;
    config.bypass_sockets = Action::Allow;
    set_policy(facts, config);
    EXPECT_EQ(complaints(facts), (Complaints{{"bypass-sockets-allow", Warning}}));
    config.bypass_sockets = Action::Deny;
    config.seal_until_reboot = false;
    set_policy(facts, config);
    EXPECT_EQ(complaints(facts), (Complaints{{"seal", Info}}));
    config.seal_until_reboot = true;
    config.endpoints[0].default_action = Action::Allow;
    set_policy(facts, config);
    EXPECT_EQ(complaints(facts), (Complaints{{"default-allow", Warning}}));
}

TEST(DoctorPolicy, AllOfRoot)
{
    EXPECT_EQ(complaints(with({for_users("all", {"root"})})).count("rule-root-only"), 1U);
    EXPECT_EQ(complaints(with({for_users("all", {"alice", "0"})})).count("rule-root-only"), 1U);
    EXPECT_EQ(complaints(with({for_users("alice", {"alice"})})), Complaints{});
    auto denied = for_users("none", {"root"});
    denied.action = Action::Deny;
    EXPECT_EQ(complaints(with({denied})).count("rule-root-only"), 0U);
    auto narrow = for_users("narrow", {"root"});
    narrow.units = list({"getty@tty1.service"});
    EXPECT_EQ(complaints(with({narrow})), Complaints{});
}

TEST(DoctorPolicy, Programs)
{
    EXPECT_EQ(complaints(with_exe({ExeFact{1, 2, 3}, "", false})), Complaints{});
    EXPECT_EQ(complaints(with_exe({ExeFact{1, 2, 3}, "", true})), (Complaints{{"rule-interpreter", Warning}}));
    EXPECT_EQ(complaints(with_exe({ExeFact{1, 2, 3}, "file \"/usr/bin/x\" belongs to uid 7", false})),
              (Complaints{{"rule-writable-exe", Severity::Error}}));
    EXPECT_EQ(complaints(with_exe({std::nullopt, "", false})), (Complaints{{"rule-matches-nothing", Info}}));
}

TEST(DoctorPolicy, ProgramsThatNobodyCouldLookAtAreNotFine)
{
    DoctorFacts facts = with({for_exe("program", "/usr/bin/x")});
    facts.policy.exes.emplace("/usr/bin/x", hostward::Error{ErrorKind::Denied, EPERM, "Operation not permitted"});
    EXPECT_EQ(complaints(facts), (Complaints{{"rule-interpreter", CannotTell},
                                             {"rule-writable-exe", CannotTell},
                                             {"rule-matches-nothing", CannotTell}}));
}

TEST(DoctorPolicy, AnInterpreterInAUnitIsTheUnits)
{
    auto script = for_exe("script", "/usr/bin/python3");
    script.units = list({"getty@tty1.service"});
    DoctorFacts facts = with({script});
    facts.policy.exes.emplace("/usr/bin/python3", ExeInfo{ExeFact{1, 2, 3}, "", true});
    EXPECT_EQ(complaints(facts), Complaints{});
}

TEST(DoctorPolicy, UnitsThatEveryUserRuns)
{
    for (const auto* pattern : {"user@*.service", "user@1000.service", "*.service", "session-*.scope", "s*.scope"}) {
        EXPECT_EQ(complaints(with({for_unit("wide", pattern)})).count("rule-user-manager"), 1U) << pattern;
    }
    for (const auto* pattern : {"agent*.service", "users.service", "a*.scope"}) {
        EXPECT_EQ(complaints(with({for_unit("narrow", pattern)})).count("rule-user-manager"), 0U) << pattern;
    }
}

TEST(DoctorPolicy, Containers)
{
    auto by_number = for_users("containers", {"0"});
    by_number.scope = Scope::Any;
    EXPECT_EQ(complaints(with({by_number})).count("rule-containers"), 1U);
    by_number.cgroups = list({"/system.slice/docker-*.scope"});
    EXPECT_EQ(complaints(with({by_number})).count("rule-containers"), 0U);
}

TEST(DoctorPolicy, NamesThatAreNotHere)
{
    EXPECT_EQ(complaints(with({for_users("gone", {"carol"})})), (Complaints{{"rule-matches-nothing", Info}}));
    EXPECT_EQ(complaints(with({for_users("one", {"carol", "alice"})})), Complaints{}) << "alice is here";
    EXPECT_EQ(complaints(with({for_users("number", {"4711"})})), Complaints{}) << "a number needs no account";
    EXPECT_EQ(complaints(with({for_unit("gone", "absent.service")})), (Complaints{{"rule-matches-nothing", Info}}));
    EXPECT_EQ(complaints(with({for_unit("made", "session-9.scope")})), Complaints{}) << "scopes have no file";
    EXPECT_EQ(complaints(with({for_unit("template", "getty@tty7.service")})), Complaints{});
    auto denied = for_users("deny", {"carol"});
    denied.action = Action::Deny;
    EXPECT_EQ(complaints(with({denied})), (Complaints{{"rule-matches-nothing", Warning}})) << "she is not refused";
}

TEST(DoctorPolicy, PresetsMayNameWhatIsNotHere)
{
    auto preset = for_users("gone", {"carol"});
    preset.preset = "some-distribution";
    EXPECT_EQ(complaints(with({preset})), Complaints{});
    preset = for_exe("program", "/usr/bin/x");
    preset.preset = "some-distribution";
    DoctorFacts facts = with({preset});
    facts.policy.exes.emplace("/usr/bin/x", ExeInfo{std::nullopt, "directory \"/usr\" belongs to uid 7", false});
    EXPECT_EQ(complaints(facts), Complaints{});
}

TEST(DoctorPolicy, Shadowed)
{
    auto earlier = for_users("earlier", {"alice", "bob"});
    auto later = for_users("later", {"alice"});
    EXPECT_EQ(complaints(with({earlier, later})), (Complaints{{"rule-shadowed", Warning}}));
    EXPECT_EQ(complaints(with({later, earlier})), Complaints{}) << "bob is left";
    later.action = Action::Deny;
    DoctorFacts facts = with({earlier, later});
    EXPECT_NE(finding_of(facts, "rule-shadowed").evidence.at(0).find("decides the opposite"), std::string::npos);
    later.scope = Scope::Any;
    EXPECT_EQ(complaints(with({earlier, later})).count("rule-shadowed"), 0U) << "containers are left";
}

TEST(DoctorPolicy, ShadowedByPattern)
{
    const auto shadowed = [](const config::Rule& earlier, const config::Rule& later) {
        return complaints(with({earlier, later})).count("rule-shadowed") == 1;
    };
    EXPECT_TRUE(shadowed(for_unit("a", "web-*.service"), for_unit("b", "web-1.service")));
    EXPECT_TRUE(shadowed(for_unit("a", "web-*.service"), for_unit("b", "web-1*.service")));
    EXPECT_FALSE(shadowed(for_unit("a", "web-1.service"), for_unit("b", "web-*.service")));
    EXPECT_FALSE(shadowed(for_unit("a", "web-1*.service"), for_unit("b", "web-*.service")));
    EXPECT_FALSE(shadowed(for_unit("a", "web-*.service"), for_users("b", {"alice"}))) << "alice runs elsewhere, too";
    EXPECT_FALSE(shadowed(for_unit("a", "ab*ba.service"), for_unit("b", "aba.service")))
        << "the parts must not overlap";
    auto other = for_unit("b", "web-1.service");
    other.endpoints = list({"imds"});
    EXPECT_TRUE(shadowed(for_unit("a", "web-*.service"), other));
    auto only = for_unit("a", "web-*.service");
    only.endpoints = list({"imds"});
    EXPECT_FALSE(shadowed(only, for_unit("b", "web-1.service"))) << "other endpoints are left";
}

} // namespace
} // namespace hostward::guard
