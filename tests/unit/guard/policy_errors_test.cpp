// SPDX-License-Identifier: Apache-2.0
// What compile() refuses. The texts with their lines are in tests/golden/config; here is what no TOML file can
// hold, and that a refused policy reports everything.
#include "agent/guard/policy.h"
#include "tests/unit/guard/fake_resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hostward::guard {
namespace {

using testing::HasSubstr;

TEST(PolicyErrors, AllAreReportedInFileOrder)
{
    auto first = rule("a");
    first.users = list({"-bad"});
    auto second = rule("a");
    second.place.line = 7;
    auto config = policy_of({first, second});
    config.rules[1].exes = {at("relative", 8)};
    EXPECT_EQ(error_of(config),
              "p.toml:1: rule \"a\": user \"-bad\" is no name: allowed are 1 to 256 bytes without `:`, `/` and control "
              "characters, not begun with + or -\n"
              "p.toml:7: rule name \"a\" is used twice\n"
              "p.toml:8: rule \"a\": exe \"relative\" is not an absolute path");
}

TEST(PolicyErrors, ManyAreCountedNotListed)
{
    std::vector<config::Rule> rules(500, rule("same"));
    EXPECT_THAT(error_of(policy_of(rules)), HasSubstr("\nand 399 more"));
}

TEST(PolicyErrors, HostileTextIsEscaped)
{
    auto bad = rule("a\n\x1b[2J");
    EXPECT_THAT(error_of(policy_of({bad})), HasSubstr("rule name \"a\\x0a\\x1b[2J\""));
}

TEST(PolicyErrors, NulInAnAddressOrPath)
{
    auto config = policy_of({rule("a")});
    config.endpoints[0].addresses = {at(std::string("169.254.169.254\0x", 17))};
    EXPECT_THAT(error_of(config), HasSubstr("is neither an IPv4 nor an IPv6 address"));
    auto by_exe = rule("a");
    by_exe.exes = {at(std::string("/bin/a\0b", 8))};
    EXPECT_THAT(error_of(policy_of({by_exe})), HasSubstr("without NUL"));
}

TEST(PolicyErrors, ProgramThatCannotBeLookedAtIsNoWarning)
{
    auto broken = rule("a");
    broken.exes = list({"/broken"});
    EXPECT_THAT(error_of(policy_of({broken})),
                HasSubstr("exe \"/broken\" cannot be looked at: reading it: Input/output error"));
}

TEST(PolicyErrors, ProgramThatOthersCanReplace)
{
    FakeResolver resolver;
    resolver.exes["/home/a"].writable_by = "directory \"/home\" belongs to uid 1000";
    auto unsafe = rule("a");
    unsafe.exes = list({"/home/a"});
    const auto compiled = compile(policy_of({unsafe}), resolver);
    ASSERT_FALSE(compiled.ok());
    EXPECT_EQ(compiled.error().kind, ErrorKind::Invalid);
    EXPECT_EQ(compiled.error().text, "p.toml:1: rule \"a\": exe \"/home/a\" can be replaced by a user other than root: "
                                     "directory \"/home\" belongs to uid 1000");
}

TEST(PolicyErrors, RuleWithoutConditions)
{
    auto bare = rule("a");
    bare.users = {};
    bare.scope = config::Scope::Container;
    EXPECT_THAT(error_of(policy_of({bare})), HasSubstr("has no condition"));
}

TEST(PolicyErrors, EndpointWithoutAddresses)
{
    auto config = policy_of({});
    config.endpoints[0].addresses.clear();
    EXPECT_THAT(error_of(config), HasSubstr("endpoint \"imds\" has no address"));
}

TEST(PolicyErrors, OneAddressHasOneEndpoint)
{
    auto config = policy_of({});
    config.endpoints[0].addresses = list({"169.254.169.254", "::ffff:169.254.169.254"});
    EXPECT_THAT(error_of(config),
                HasSubstr("address \"::ffff:169.254.169.254\" is already an address of endpoint \"imds\""));
}

TEST(PolicyErrors, AddressesThatNoServiceHas)
{
    for (const char* address : {"0.0.0.0", "::", "255.255.255.255", "224.0.0.1", "ff02::1", "::ffff:0.0.0.0"}) {
        auto config = policy_of({});
        config.endpoints[0].addresses = list({address});
        EXPECT_THAT(error_of(config), HasSubstr("cannot be guarded")) << address;
    }
    for (const char* address : {"", "169.254.169.256", "169.254.169", "0xa9fea9fe", "fe80::1%eth0", " 1.2.3.4", "a"}) {
        auto config = policy_of({});
        config.endpoints[0].addresses = list({address});
        EXPECT_THAT(error_of(config), HasSubstr("is neither an IPv4 nor an IPv6 address")) << address;
    }
}

TEST(PolicyErrors, CgroupNames)
{
    for (const char* path : {"", "/", "a", "a/b", "/a/", "//a", "/a//b", "/.", "/a/..", "/a\tb", "/a**", "/*a*", "/*",
                             "/*/*", "/1/2/3/4/5/6/7/8/9"}) {
        auto bad = rule("a");
        bad.cgroups = list({path});
        EXPECT_THAT(error_of(policy_of({bad})), HasSubstr("cgroup ")) << path;
    }
    for (const char* unit : {"", "*", "a", "*.timer", "a.target", "/a.service", "a/b.service", ".service",
                             "a*b*.service", "sshd", "a.service "}) {
        auto bad = rule("a");
        bad.units = list({unit});
        EXPECT_THAT(error_of(policy_of({bad})), HasSubstr("unit ")) << unit;
    }
}

TEST(PolicyErrors, AccountNames)
{
    for (const char* name : {"", "-1", "+1", "a:b", "a/b", "a\nb", "4294967295", "99999999999999999999"}) {
        auto bad = rule("a");
        bad.users = list({name});
        EXPECT_THAT(error_of(policy_of({bad})), HasSubstr("user ")) << name;
    }
    for (const char* name : {"0", "4294967294", "DOM\\user", "user@example.org", "007"}) {
        auto good = rule("a");
        good.groups = list({name});
        EXPECT_EQ(error_of(policy_of({good})), "") << name;
    }
}

TEST(PolicyErrors, ProgramPaths)
{
    for (const char* path : {"", "bin/a", "./a", "/", "/bin/", "/bin//a", "/bin/./a", "/bin/../a", "/.."}) {
        auto bad = rule("a");
        bad.exes = list({path});
        EXPECT_THAT(error_of(policy_of({bad})), HasSubstr("exe ")) << path;
    }
}

} // namespace
} // namespace hostward::guard
