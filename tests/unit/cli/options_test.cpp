// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

namespace hostward::cli {
namespace {

std::variant<CommandLine, Answer> parse(std::vector<const char*> words)
{
    words.insert(words.begin(), "hostward");
    return parse_command_line(static_cast<int>(words.size()), words.data());
}

CommandLine must_parse(const std::vector<const char*>& words)
{
    const auto parsed = parse(words);
    const auto* line = std::get_if<CommandLine>(&parsed);
    EXPECT_NE(line, nullptr) << (line == nullptr ? std::get<Answer>(parsed).text : "");
    return line == nullptr ? CommandLine{} : *line;
}

void expect_usage_error(const std::vector<const char*>& words)
{
    const auto parsed = parse(words);
    const auto* answer = std::get_if<Answer>(&parsed);
    ASSERT_NE(answer, nullptr) << (words.empty() ? "" : words.back()) << " was accepted";
    EXPECT_EQ(answer->code, ExitCode::Usage) << answer->text;
    EXPECT_TRUE(answer->text.starts_with("hostward: ")) << answer->text;
}

TEST(Options, EveryCommandHasItsName)
{
    EXPECT_EQ(must_parse({"guard", "run"}).command, Command::GuardRun);
    EXPECT_EQ(must_parse({"guard", "load"}).command, Command::GuardLoad);
    EXPECT_EQ(must_parse({"guard", "unload"}).command, Command::GuardUnload);
    EXPECT_EQ(must_parse({"guard", "status"}).command, Command::GuardStatus);
    EXPECT_EQ(must_parse({"guard", "events"}).command, Command::GuardEvents);
    EXPECT_EQ(must_parse({"guard", "explain", "--pid", "1"}).command, Command::GuardExplain);
    EXPECT_EQ(must_parse({"config", "check"}).command, Command::ConfigCheck);
    EXPECT_EQ(must_parse({"config", "print"}).command, Command::ConfigPrint);
}

TEST(Options, DefaultsAreThoseOfAnInstalledHost)
{
    const CommandLine line = must_parse({"guard", "run"});
    EXPECT_EQ(line.config, "/etc/hostward/hostward.toml");
    EXPECT_EQ(line.guard.cgroup, "");
    EXPECT_EQ(line.guard.pin_dir, "/sys/fs/bpf/hostward");
    EXPECT_EQ(line.guard.run_dir, "/run/hostward");
    EXPECT_FALSE(line.json);
}

TEST(Options, EveryGuardCommandTakesThePlace)
{
    for (const char* command : {"run", "load", "unload", "status", "events"}) {
        const CommandLine line = must_parse(
            {"guard", command, "--config", "/c", "--cgroup", "/g", "--pin-dir", "/p", "--run-dir", "/r", "--json"});
        EXPECT_EQ(line.config, "/c") << command;
        EXPECT_EQ(line.guard.cgroup, "/g") << command;
        EXPECT_EQ(line.guard.pin_dir, "/p") << command;
        EXPECT_EQ(line.guard.run_dir, "/r") << command;
        EXPECT_TRUE(line.json) << command;
    }
}

TEST(Options, ExplainTakesADescription)
{
    const CommandLine line = must_parse({"guard", "explain", "--user", "alice", "--group", "a", "--group", "b", "--exe",
                                         "/x", "--unit", "u.service", "--container", "--address", "fd00:ec2::254"});
    EXPECT_EQ(line.explain.user, "alice");
    EXPECT_EQ(line.explain.groups, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(line.explain.exe, "/x");
    EXPECT_EQ(line.explain.unit, "u.service");
    EXPECT_TRUE(line.explain.container);
    EXPECT_EQ(line.explain.address, "fd00:ec2::254");
}

TEST(Options, ExplainOfNobodyIsAboutAPolicy)
{
    const CommandLine line =
        must_parse({"guard", "explain", "--policy", "/p.toml", "--events", "-", "--since", "1d", "--any-owner"});
    EXPECT_EQ(line.explain.policy, "/p.toml");
    EXPECT_FALSE(line.explain.names_caller());
    EXPECT_EQ(line.trust(), config::Trust::AnyOwner);
    const CommandLine asked = must_parse({"guard", "explain", "--policy", "/p.toml", "--user", "alice"});
    EXPECT_TRUE(asked.explain.names_caller());
    EXPECT_EQ(asked.trust(), config::Trust::RootOnly);
    EXPECT_TRUE(must_parse({"guard", "explain", "--policy", "/p.toml", "--pid", "1"}).explain.names_caller());
    EXPECT_TRUE(must_parse({"guard", "explain", "--policy", "/p.toml", "--last-denial"}).explain.names_caller());
    expect_usage_error({"guard", "explain", "--policy", "/p.toml", "--exe", "/x"});
    expect_usage_error({"guard", "explain", "--policy", "/p.toml", "--container"});
    expect_usage_error({"guard", "explain", "--policy", "/p.toml", "--address", "fd00:ec2::254"});
    expect_usage_error({"guard", "learn", "--policy", "/p.toml"});
}

TEST(Options, WrongCommandLinesAreUsageErrors)
{
    expect_usage_error({});
    expect_usage_error({"guard"});
    expect_usage_error({"guard", "start"});
    expect_usage_error({"guard", "run", "--bogus"});
    expect_usage_error({"guard", "run", "extra"});
    expect_usage_error({"guard", "run", "--config"});
    expect_usage_error({"guard", "status", "--follow"});
    expect_usage_error({"config", "check", "--pin-dir", "/p"});
    expect_usage_error({"guard", "explain"});
    expect_usage_error({"guard", "explain", "--pid", "0"});
    expect_usage_error({"guard", "explain", "--pid", "x"});
    expect_usage_error({"guard", "explain", "--pid", "1", "--user", "root"});
    expect_usage_error({"guard", "explain", "--user", "a", "--unit", "u", "--cgroup-path", "/u"});
    expect_usage_error({"guard", "explain", "--user", "a", "--unit", "a/b"});
    expect_usage_error({"guard", "explain", "--user", "a", "--cgroup-path", "a"});
}

TEST(Options, AMessageShowsNoControlCharacters)
{
    const auto parsed = parse({"guard", "run", "--\x1b[31mred\n"});
    ASSERT_TRUE(std::holds_alternative<Answer>(parsed));
    EXPECT_EQ(std::get<Answer>(parsed).text.find('\x1b'), std::string::npos);
}

TEST(ExitCodes, AreStableAndNeverMeanReboot)
{
    const std::array kinds{ErrorKind::Invalid,   ErrorKind::NotFound, ErrorKind::Denied, ErrorKind::Unsupported,
                           ErrorKind::Exhausted, ErrorKind::Conflict, ErrorKind::System};
    const std::array codes{3, 1, 6, 5, 1, 1, 1};
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        EXPECT_EQ(static_cast<int>(exit_code_of(kinds[i])), codes[i]);
    }
    EXPECT_EQ(static_cast<int>(ExitCode::Ok), 0);
    EXPECT_EQ(static_cast<int>(ExitCode::Usage), 2);
    EXPECT_EQ(static_cast<int>(ExitCode::NotLoaded), 4);
    const std::set<int> reboot{168, 169, 194};
    for (const int code : codes) {
        EXPECT_FALSE(reboot.contains(code));
    }
}

} // namespace
} // namespace hostward::cli
