// SPDX-License-Identifier: Apache-2.0
// Every bound of a policy: one less and exactly the bound are accepted and work, one more is refused.
#include "agent/guard/decide.h"
#include "agent/guard/policy.h"
#include "tests/unit/guard/fake_resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace hostward::guard {
namespace {

using testing::HasSubstr;

void expect_bound(std::size_t bound, const std::function<config::GuardConfig(std::size_t)>& with,
                  const std::string& text)
{
    EXPECT_EQ(error_of(with(bound - 1)), "");
    EXPECT_EQ(error_of(with(bound)), "");
    EXPECT_THAT(error_of(with(bound + 1)), HasSubstr(text));
}

config::GuardConfig with_rules(std::size_t count)
{
    auto config = policy_of({});
    for (std::size_t i = 0; i < count; ++i) {
        config.rules.push_back(rule("rule-" + std::to_string(i)));
        config.rules.back().users = list({std::to_string(i)});
        config.rules.back().place.line = static_cast<std::uint32_t>(i + 1);
    }
    return config;
}

TEST(PolicyBounds, Rules)
{
    expect_bound(HW_RULES_MAX, with_rules, "p.toml:1025: more rules than the 1024 allowed: there are 1025");
    FakeResolver resolver;
    const auto policy = must_compile(with_rules(HW_RULES_MAX), resolver);
    Caller last;
    last.uid = last.euid = HW_RULES_MAX - 1;
    EXPECT_EQ(decide(policy, last, 0).rule, HW_RULES_MAX - 1U);
}

config::GuardConfig with_endpoints(std::size_t count)
{
    auto config = policy_of({});
    config.endpoints.clear();
    for (std::size_t i = 0; i < count; ++i) {
        config::Endpoint endpoint;
        endpoint.name = "e" + std::to_string(i);
        endpoint.addresses = list({"10.0.0." + std::to_string(i + 1)});
        endpoint.place = {"p.toml", 1, 1};
        config.endpoints.push_back(endpoint);
    }
    return config;
}

TEST(PolicyBounds, Endpoints) { expect_bound(HW_ENDPOINTS_MAX, with_endpoints, "more endpoints than the 8 allowed"); }

TEST(PolicyBounds, Addresses)
{
    expect_bound(
        HW_ADDRESSES_MAX,
        [](std::size_t count) {
            auto config = with_endpoints(2);
            for (std::size_t i = 3; i <= count; ++i) {
                config.endpoints[i % 2].addresses.push_back(at("10.0.0." + std::to_string(i)));
            }
            return config;
        },
        "more addresses than the 32 allowed over all endpoints");
}

config::GuardConfig with_cgroups(const std::vector<std::string>& paths)
{
    auto config = policy_of({rule("a")});
    config.rules[0].cgroups = list(paths);
    return config;
}

TEST(PolicyBounds, Patterns)
{
    expect_bound(
        HW_PATTERNS_MAX,
        [](std::size_t count) {
            std::vector<std::string> paths;
            for (std::size_t i = 0; i < count; ++i) {
                paths.push_back("/p" + std::to_string(i));
            }
            paths.push_back("/p0"); // the same path again is not another pattern
            return with_cgroups(paths);
        },
        "more cgroup paths than the 64 allowed");
}

TEST(PolicyBounds, PatternDepth)
{
    expect_bound(
        HW_PATTERN_DEPTH_MAX,
        [](std::size_t depth) {
            std::string path;
            for (std::size_t i = 0; i < depth; ++i) {
                path += "/d";
            }
            return with_cgroups({path});
        },
        "it has 9 components: allowed are 8");
}

TEST(PolicyBounds, Shapes)
{
    expect_bound(
        HW_SHAPES_MAX,
        [](std::size_t count) {
            std::vector<std::string> paths;
            for (std::size_t i = 0; i < count; ++i) {
                paths.push_back("/x/" + std::string(i + 1, 's') + "*");
            }
            paths.push_back("/y/t*"); // of a shape that is already there
            return with_cgroups(paths);
        },
        "allowed are 16 different pairs of lengths before and after the `*`");
}

TEST(PolicyBounds, NameLength)
{
    const auto exact = [](std::size_t length) { return with_cgroups({"/" + std::string(length, 'n')}); };
    expect_bound(HW_NAME_MAX, exact, "a name is 125 bytes long: allowed are 124");
    // The `*` is no byte of the name.
    const auto glob = [](std::size_t length) { return with_cgroups({"/" + std::string(length - 2, 'n') + "*nn"}); };
    expect_bound(HW_NAME_MAX, glob, "a name is 125 bytes long: allowed are 124");
    const auto unit = [](std::size_t length) {
        auto config = policy_of({rule("a")});
        config.rules[0].units = list({std::string(length - 8, 'n') + ".service"});
        return config;
    };
    expect_bound(HW_NAME_MAX, unit, "a name is 125 bytes long: allowed are 124");
}

TEST(PolicyBounds, RuleAndEndpointNames)
{
    expect_bound(
        64, [](std::size_t length) { return policy_of({rule(std::string(length, 'r'))}); },
        "allowed are 1 to 64 of letters, digits and . _ - : @");
    expect_bound(
        64,
        [](std::size_t length) {
            auto config = with_endpoints(1);
            config.endpoints[0].name = std::string(length, 'e');
            return config;
        },
        "allowed are 1 to 64 of letters, digits and . _ - : @");
    EXPECT_THAT(error_of(policy_of({rule("")})), HasSubstr("rule name \"\""));
}

TEST(PolicyBounds, AccountNamesAndPaths)
{
    expect_bound(
        256,
        [](std::size_t length) {
            auto config = policy_of({rule("a")});
            config.rules[0].users = list({std::string(length, 'u')});
            return config;
        },
        "allowed are 1 to 256 bytes");
    expect_bound(
        4095,
        [](std::size_t length) {
            auto config = policy_of({rule("a")});
            config.rules[0].exes = list({"/" + std::string(length - 1, 'p')});
            return config;
        },
        "allowed are up to 4095 bytes");
}

TEST(PolicyBounds, UserIds)
{
    const auto with_uid = [](std::size_t uid) {
        auto config = policy_of({rule("a")});
        config.rules[0].users = list({std::to_string(uid)});
        return config;
    };
    expect_bound(4294967294, with_uid, "is out of range: allowed are 0 to 4294967294");
}

} // namespace
} // namespace hostward::guard
