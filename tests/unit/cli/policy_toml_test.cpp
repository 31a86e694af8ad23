// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/policy_toml.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

namespace hostward::cli {
namespace {

using config::At;

std::vector<std::string> texts(const std::vector<At<std::string>>& values)
{
    std::vector<std::string> out;
    std::ranges::transform(values, std::back_inserter(out), &At<std::string>::value);
    return out;
}

void expect_same(const config::Endpoint& a, const config::Endpoint& b)
{
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(texts(a.addresses), texts(b.addresses));
    EXPECT_EQ(a.default_action, b.default_action);
}

void expect_same(const config::Rule& a, const config::Rule& b)
{
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.action, b.action);
    EXPECT_EQ(texts(a.users), texts(b.users));
    EXPECT_EQ(texts(a.groups), texts(b.groups));
    EXPECT_EQ(texts(a.exes), texts(b.exes));
    EXPECT_EQ(texts(a.units), texts(b.units));
    EXPECT_EQ(texts(a.cgroups), texts(b.cgroups));
    EXPECT_EQ(a.scope, b.scope);
    EXPECT_EQ(texts(a.endpoints), texts(b.endpoints));
    EXPECT_EQ(a.why, b.why);
}

void expect_same(const config::GuardConfig& a, const config::GuardConfig& b)
{
    EXPECT_EQ(a.mode, b.mode);
    EXPECT_EQ(a.forwarded, b.forwarded);
    EXPECT_EQ(a.bypass_sockets, b.bypass_sockets);
    EXPECT_EQ(a.seal_until_reboot, b.seal_until_reboot);
    EXPECT_EQ(a.metrics_file, b.metrics_file);
    ASSERT_EQ(a.endpoints.size(), b.endpoints.size());
    ASSERT_EQ(a.rules.size(), b.rules.size());
    for (std::size_t i = 0; i < a.endpoints.size(); ++i) {
        expect_same(a.endpoints[i], b.endpoints[i]);
    }
    for (std::size_t i = 0; i < a.rules.size(); ++i) {
        expect_same(a.rules[i], b.rules[i]);
    }
}

class Random {
public:
    explicit Random(unsigned seed) : engine_(seed) {}

    std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(engine_); }
    bool flip() { return below(2) == 0; }
    config::Action action() { return flip() ? config::Action::Allow : config::Action::Deny; }

    /// Any text that TOML can hold: quotes, backslashes, control characters, other scripts.
    std::string text()
    {
        static const std::vector<std::string> parts{
            "a", "Z", "0",        "\"", "\\",  "\n",     "\t",   "\x01",   "\x7f",         "#", "=", "[[", "'''", "*",
            "/", " ", "\xc3\xa9", "\r", "\\u", "\x1b[m", "\x0b", "\"\"\"", "\xe6\xbc\xa2", "-", "."};
        std::string out;
        for (std::size_t i = below(12); i > 0; --i) {
            out += parts[below(parts.size())];
        }
        return out;
    }
    std::vector<At<std::string>> list(std::size_t least = 0)
    {
        std::vector<At<std::string>> out;
        for (std::size_t i = least + below(3); i > 0; --i) {
            out.push_back({text(), {}});
        }
        return out;
    }

private:
    std::mt19937 engine_;
};

config::Rule random_rule(Random& random)
{
    constexpr std::array scopes{config::Scope::Host, config::Scope::Container, config::Scope::Any};
    config::Rule rule;
    rule.name = random.text();
    rule.action = random.action();
    rule.users = random.list();
    rule.groups = random.list();
    rule.exes = random.list();
    rule.units = random.list();
    rule.cgroups = random.list();
    rule.scope = scopes[random.below(scopes.size())];
    rule.endpoints = random.list();
    rule.why = random.flip() ? "" : "wh\"y\\ " + std::to_string(random.below(100));
    return rule;
}

config::GuardConfig random_config(Random& random)
{
    config::GuardConfig config;
    config.mode = random.flip() ? config::Mode::Enforce : config::Mode::Audit;
    config.forwarded = random.action();
    config.bypass_sockets = random.action();
    config.seal_until_reboot = random.flip();
    config.metrics_file = random.flip() ? "/srv/text \"file\"/a.prom" : "";
    for (std::size_t i = 1 + random.below(3); i > 0; --i) {
        config.endpoints.push_back({random.text(), random.list(1), random.action(), {}});
    }
    for (std::size_t i = random.below(6); i > 0; --i) {
        config.rules.push_back(random_rule(random));
    }
    return config;
}

TEST(PolicyToml, ReadsBackAsTheSameForEveryConfiguration)
{
    for (unsigned seed = 0; seed < 500 && !testing::Test::HasFailure(); ++seed) {
        Random random(seed);
        const config::GuardConfig config = random_config(random);
        const std::string toml = policy_toml(config);
        const auto parsed = config::parse(toml, "printed");
        ASSERT_TRUE(parsed.ok()) << "seed " << seed << ": " << parsed.error().text << "\n" << toml;
        expect_same(config, *parsed);
        EXPECT_EQ(policy_toml(*parsed), toml) << "seed " << seed;
    }
}

TEST(PolicyToml, FillsInTheDefaults)
{
    const auto parsed = config::parse("", "empty");
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(policy_toml(*parsed), "[guard]\nmode = \"enforce\"\nforwarded = \"deny\"\nbypass_sockets = \"deny\"\n"
                                    "seal = \"off\"\n\n[[guard.endpoint]]\nname = \"imds\"\n"
                                    "addresses = [\"169.254.169.254\", \"fd00:ec2::254\"]\ndefault = \"deny\"\n");
}

TEST(PolicyToml, SaysWhereRulesComeFromAndNothingOfItCanBreakOut)
{
    auto parsed = config::parse("[[guard.rule]]\nname = \"a\"\naction = \"allow\"\nuser = [0]\n", "x\nmode = 1");
    ASSERT_TRUE(parsed.ok());
    parsed->rules[0].preset = "some";
    parsed->overrides = {"o:1: mode replaces\nthat of p:2"};
    const std::string toml = policy_toml_with_origin(*parsed);
    EXPECT_NE(toml.find("\n# preset:some, x\\x0amode = 1:1\n[[guard.rule]]\n"), std::string::npos) << toml;
    EXPECT_TRUE(toml.starts_with("# o:1: mode replaces\\x0athat of p:2\n[guard]\n")) << toml;
    const auto again = config::parse(toml, "printed");
    ASSERT_TRUE(again.ok()) << again.error().text;
    expect_same(*parsed, *again);
}

} // namespace
} // namespace hostward::cli
