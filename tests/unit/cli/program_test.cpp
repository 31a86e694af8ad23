// SPDX-License-Identifier: Apache-2.0
// The program as a whole: exit codes, and what it does with the descriptors it is given.
#include "agent/base/unique_fd.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>

namespace hostward::cli {
namespace {

namespace fs = std::filesystem;

class Program : public testing::Test {
protected:
    Program()
    {
        std::string name = (fs::temp_directory_path() / "hostward-program-XXXXXX").string();
        dir_ = ::mkdtemp(name.data()) == nullptr ? "" : name;
        std::ofstream(file("good.toml")) << "[[guard.rule]]\nname = \"a\"\naction = \"allow\"\nuser = [\"root\"]\n";
        std::ofstream(file("bad.toml")) << "[guard]\nmode = \"maybe\"\n[[guard.rule]]\nname = \"a\"\n";
    }
    ~Program() override { fs::remove_all(dir_); }

    [[nodiscard]] std::string file(const std::string& name) const { return (dir_ / name).string(); }

    /// Runs the program; standard output goes to `out` (a path), or is closed if there is none. Returns the exit code.
    int run(std::vector<std::string> words, const std::optional<std::string>& out)
    {
        posix_spawn_file_actions_t actions;
        EXPECT_EQ(::posix_spawn_file_actions_init(&actions), 0);
        if (out) {
            ::posix_spawn_file_actions_addopen(&actions, 1, out->c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        } else {
            ::posix_spawn_file_actions_addclose(&actions, 1);
        }
        ::posix_spawn_file_actions_addopen(&actions, 2, file("err").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        const int code = spawn(words, actions);
        ::posix_spawn_file_actions_destroy(&actions);
        return code;
    }
    int run(const std::vector<std::string>& words) { return run(words, file("out")); }

    [[nodiscard]] std::string read(const std::string& name) const
    {
        std::ostringstream text;
        text << std::ifstream(file(name)).rdbuf();
        return text.str();
    }

    static int spawn(std::vector<std::string>& words, const posix_spawn_file_actions_t& actions)
    {
        return end_of(start(words, actions));
    }
    static pid_t start(std::vector<std::string>& words, const posix_spawn_file_actions_t& actions)
    {
        std::string program = HOSTWARD_PROGRAM;
        std::vector<char*> argv{program.data()};
        for (auto& word : words) {
            argv.push_back(word.data());
        }
        argv.push_back(nullptr);
        pid_t pid = 0;
        EXPECT_EQ(::posix_spawn(&pid, program.c_str(), &actions, nullptr, argv.data(), environ), 0);
        return pid;
    }
    static int end_of(pid_t pid)
    {
        int status = 0;
        EXPECT_EQ(::waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }

    static std::string without_comments(const std::string& text)
    {
        std::istringstream lines(text);
        std::string out;
        for (std::string line; std::getline(lines, line);) {
            out += line.starts_with('#') ? "" : line + "\n";
        }
        return out;
    }

    fs::path dir_;
};

TEST_F(Program, SaysItsVersion)
{
    EXPECT_EQ(run({"--version"}), 0);
    EXPECT_EQ(read("out"), "hostward " HOSTWARD_VERSION "\n");
    EXPECT_EQ(read("err"), "");
}

TEST_F(Program, WrongArgumentsAre2)
{
    EXPECT_EQ(run({"guard", "start"}), 2);
    EXPECT_EQ(read("out"), "");
    EXPECT_NE(read("err"), "");
}

TEST_F(Program, ChecksAPolicy)
{
    EXPECT_EQ(run({"config", "check", "--config", file("good.toml")}), 0) << read("err");
    EXPECT_EQ(read("out"), file("good.toml") + ": valid: 1 rule, 1 endpoint, mode enforce, 0 warnings\n");
    EXPECT_EQ(run({"config", "check", "--config", file("bad.toml")}), 3);
    EXPECT_EQ(read("out"), "");
    EXPECT_NE(read("err").find(file("bad.toml") + ":2: guard.mode is \"maybe\""), std::string::npos) << read("err");
    EXPECT_NE(read("err").find(file("bad.toml") + ":3: guard.rule.action is missing"), std::string::npos);
    EXPECT_EQ(run({"config", "check", "--json", "--config", file("bad.toml")}), 3);
    EXPECT_TRUE(read("out").starts_with(R"({"version":1,"valid":false,"errors":[")")) << read("out");
    EXPECT_EQ(run({"config", "check", "--config", file("absent.toml")}), 3);
}

TEST_F(Program, RootTakesNobodyElsesPolicyUnlessItOnlyLooks)
{
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only root's policy has to be root's";
    }
    fs::permissions(file("good.toml"), fs::perms::others_write, fs::perm_options::add);
    EXPECT_EQ(run({"config", "check", "--config", file("good.toml")}), 3);
    EXPECT_NE(read("err").find("is writable by everybody"), std::string::npos) << read("err");
    EXPECT_EQ(run({"config", "check", "--any-owner", "--config", file("good.toml")}), 0);
    EXPECT_EQ(run({"config", "print", "--any-owner", "--config", file("good.toml")}), 0);
    EXPECT_EQ(run({"guard", "load", "--any-owner", "--config", file("good.toml")}), 2) << "not for what is enforced";
}

TEST_F(Program, PrintsAPolicyThatItReadsAgain)
{
    EXPECT_EQ(run({"config", "print", "--config", file("good.toml")}, file("printed.toml")), 0);
    EXPECT_EQ(run({"config", "print", "--config", file("printed.toml")}), 0);
    EXPECT_EQ(without_comments(read("out")), without_comments(read("printed.toml")));
    EXPECT_NE(read("out").find("# " + file("printed.toml") + ":"), std::string::npos) << "where the rule is from";
    EXPECT_NE(read("out").find("169.254.169.254"), std::string::npos);
}

TEST_F(Program, NoGuardIs4)
{
    EXPECT_EQ(run({"guard", "status", "--json", "--pin-dir", file("pins"), "--run-dir", dir_}), 4) << read("err");
    EXPECT_TRUE(read("out").starts_with(R"({"version":1,"state":"absent",)")) << read("out");
    EXPECT_EQ(run({"guard", "unload", "--pin-dir", file("pins"), "--run-dir", dir_}), 4) << read("err");
}

/// `guard events -f` of its own run_dir.
class Following : public Program {
protected:
    pid_t follow(std::vector<std::string> options)
    {
        std::vector<std::string> words{"guard", "events", "-f", "--run-dir", dir_};
        words.insert(words.end(), options.begin(), options.end());
        posix_spawn_file_actions_t actions;
        EXPECT_EQ(::posix_spawn_file_actions_init(&actions), 0);
        ::posix_spawn_file_actions_addopen(&actions, 1, file("out").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        ::posix_spawn_file_actions_addopen(&actions, 2, file("err").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        const pid_t pid = start(words, actions);
        ::posix_spawn_file_actions_destroy(&actions);
        return pid;
    }
    static std::string line(const std::string& decision, int uid)
    {
        return R"({"time":"2026-11-21T02:00:00.000Z","first":"2026-11-21T02:00:00.000Z","count":1,"decision":")" +
               decision + R"(","uid":)" + std::to_string(uid) + "}\n";
    }
    void append(const std::string& text) const { std::ofstream(file("events.jsonl"), std::ios::app) << text; }
    [[nodiscard]] bool comes(const std::string& text) const
    {
        constexpr int kTries = 2000;
        for (int i = 0; i < kTries && read("out") != text; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return read("out") == text;
    }
};

TEST_F(Following, GoesOverARotationAndEndsWithControlC)
{
    append(line("deny", 1) + line("allow", 2));
    const pid_t pid = follow({"--json", "--decision", "deny"});
    std::string expected = line("deny", 1);
    EXPECT_TRUE(comes(expected)) << read("out") << read("err");
    append(line("allow", 3) + line("deny", 4));
    fs::rename(file("events.jsonl"), file("events.jsonl.1"));
    append(line("deny", 5));
    expected += line("deny", 4) + line("deny", 5);
    EXPECT_TRUE(comes(expected)) << read("out") << read("err");
    EXPECT_EQ(::kill(pid, SIGINT), 0);
    EXPECT_EQ(end_of(pid), 0);
    EXPECT_EQ(read("out"), expected);
    EXPECT_EQ(read("err"), "");
}

TEST_F(Program, FiltersEvents)
{
    std::ofstream(file("events.jsonl"))
        << R"({"time":"2026-11-21T02:00:00.000Z","first":"2026-11-21T02:00:00.000Z","count":1,"decision":"deny","uid":7})"
        << "\n"
        << R"({"time":"2026-11-22T02:00:00.000Z","first":"2026-11-21T02:00:00.000Z","count":1,"decision":"deny","uid":8})"
        << "\nnoise\n";
    EXPECT_EQ(run({"guard", "events", "--run-dir", dir_, "--since", "2026-11-22"}), 0);
    EXPECT_NE(read("out").find("uid 8"), std::string::npos) << read("out");
    EXPECT_EQ(read("out").find("uid 7"), std::string::npos) << read("out");
    EXPECT_NE(read("err").find("1 lines are no events"), std::string::npos) << read("err");
    EXPECT_EQ(run({"guard", "events", "--run-dir", dir_, "--user", "9"}), 0);
    EXPECT_EQ(read("out"), "");
    EXPECT_EQ(run({"guard", "events", "--run-dir", dir_, "--decision", "maybe"}), 2);
}

TEST_F(Program, ExplainsTheLastDenial)
{
    const std::string start =
        R"({"count":1,"endpoint":"imds","reason":"default","cgroup":"/","first":"2026-11-21T02:00:00.000Z",)";
    std::ofstream(file("kept.jsonl")) << start
                                      << R"("time":"2026-11-21T02:00:00.000Z","decision":"deny","uid":7,"euid":7})"
                                      << "\n"
                                      << start
                                      << R"("time":"2026-11-21T03:00:00.000Z","decision":"deny","uid":0,"euid":0})"
                                      << "\n"
                                      << start
                                      << R"("time":"2026-11-21T02:30:00.000Z","decision":"deny","uid":8,"euid":8})"
                                      << "\n"
                                      << start
                                      << R"("time":"2026-11-21T04:00:00.000Z","decision":"allow","uid":9,"euid":9})"
                                      << "\n"
                                      << start << R"("time":"2026-11-21T05:00:00.000Z","decision":"deny","uid":6})"
                                      << "\n";
    const std::vector<std::string> explain{"guard",           "explain",          "--last-denial",
                                           "--events",        file("kept.jsonl"), "--config",
                                           file("good.toml"), "--pin-dir",        file("pins")};
    EXPECT_EQ(run(explain), 0) << read("err");
    const std::string text = read("out");
    EXPECT_TRUE(text.starts_with("policy: \"" + file("good.toml") + "\", which is not loaded\ncaller: uid 0,")) << text;
    EXPECT_NE(text.find("note: denied until 2026-11-21T03:00:00.000Z: reason default\n"), std::string::npos) << text;
    EXPECT_NE(text.find("no known caller was denied until 2026-11-21T05:00"), std::string::npos) << text;
    EXPECT_NE(text.find("note: no guard is loaded, this is about"), std::string::npos) << text;
    EXPECT_NE(text.find("good.toml:1): matches\nallow: rule \"a\" ("), std::string::npos) << text;
    auto later = explain;
    later.insert(later.end(), {"--since", "2026-11-21T03:30"});
    EXPECT_EQ(run(later), 1);
    EXPECT_NE(read("err").find("no denial of a known caller"), std::string::npos) << read("err");
    later.insert(later.end(), {"--user", "root"});
    EXPECT_EQ(run(later), 2);
}

TEST_F(Program, LearnsRulesThatItReadsAgain)
{
    std::ofstream(file("kept.jsonl"))
        << R"({"time":"2026-11-21T02:00:00.000Z","first":"2026-11-21T02:00:00.000Z","count":2,"decision":"would-deny",)"
        << R"("reason":"default","endpoint":"imds","uid":4711,"euid":4711,"cgroup":"/system.slice/a.service"})"
        << "\nnoise\n";
    const std::vector<std::string> learn{"guard",           "learn",    "--config",
                                         file("good.toml"), "--events", file("kept.jsonl")};
    auto to_file = learn;
    to_file.insert(to_file.end(), {"--output", file("learned.toml")});
    // "exe_untrusted" is not known here, and no exe_inode either: a unit of its own is enough.
    EXPECT_EQ(run(to_file), 0) << read("err");
    EXPECT_NE(read("err").find("1 lines are no events"), std::string::npos) << read("err");
    EXPECT_NE(read("learned.toml").find("unit = [\"a.service\"]"), std::string::npos) << read("learned.toml");
    EXPECT_EQ(run({"config", "check", "--config", file("learned.toml")}), 0) << read("err");
    EXPECT_EQ(run(to_file), 1);
    EXPECT_NE(read("err").find("--force replaces it"), std::string::npos) << read("err");
    to_file.emplace_back("--force");
    EXPECT_EQ(run(to_file), 0) << read("err");

    auto later = learn;
    later.insert(later.end(), {"--since", "2026-11-22", "--json"});
    EXPECT_EQ(run(later), 0) << read("err");
    EXPECT_TRUE(read("out").starts_with(R"({"version":1,"decisions":0,)")) << read("out");
    later[later.size() - 2] = "never";
    EXPECT_EQ(run(later), 2);
    EXPECT_EQ(run({"guard", "learn", "--config", file("absent.toml"), "--events", file("kept.jsonl")}), 3);
    EXPECT_EQ(run({"guard", "learn", "--config", file("good.toml"), "--events", file("none.jsonl")}), 1);
    EXPECT_EQ(run({"guard", "learn", "--config", file("good.toml"), "--force"}), 2) << "nothing to replace";
}

/// A policy beside recorded events of user 4711, denied in a.service.
class Simulating : public Program {
protected:
    Simulating()
    {
        std::ofstream(file("kept.jsonl")) << denial();
        std::ofstream(file("same.toml")) << rule("root");
        std::ofstream(file("opens.toml")) << rule("4711");
    }
    static std::string rule(const std::string& user, const std::string& name = "a")
    {
        return "[[guard.rule]]\nname = \"" + name + "\"\naction = \"allow\"\nuser = [\"" + user + "\"]\n";
    }
    static std::string denial(const std::string& more = "")
    {
        return R"({"time":"2026-11-21T02:00:00.000Z","first":"2026-11-21T02:00:00.000Z","count":2,"decision":"deny",)"
               R"("reason":"default","endpoint":"imds","uid":4711,"euid":4711,"gid":4711,"container":false,)"
               R"("exe_untrusted":true,"exe_inode":1,"exe_device":2,"exe_generation":3,"hook":"connect4",)"
               R"("cgroup":"/system.slice/a.service")" +
               more + "}\n";
    }
    int simulate(const std::string& policy, const std::string& events = "kept.jsonl", bool json = true)
    {
        std::vector<std::string> words{"guard", "explain", "--policy", file(policy), "--events", file(events)};
        if (json) {
            words.emplace_back("--json");
        }
        return run(words);
    }
};

TEST_F(Simulating, TheExitCodeIsForAPipeline)
{
    EXPECT_EQ(simulate("same.toml"), 0) << read("err");
    EXPECT_TRUE(read("out").starts_with(R"({"version":1,"result":"unchanged",)")) << read("out");
    EXPECT_EQ(simulate("opens.toml"), 11) << read("err");
    EXPECT_TRUE(read("out").starts_with(R"({"version":1,"result":"changes",)")) << read("out");
    EXPECT_EQ(simulate("opens.toml", "kept.jsonl", false), 11);
    EXPECT_NE(read("out").find("would be allowed: 2 decisions\n  uid 4711 with"), std::string::npos) << read("out");
    EXPECT_NE(read("out").find("    now: allow, rule \"a\" (" + file("opens.toml") + ":1)\n"), std::string::npos)
        << read("out");
    EXPECT_EQ(simulate("bad.toml"), 3);
    EXPECT_EQ(simulate("absent.toml"), 3);
    EXPECT_EQ(simulate("same.toml", "absent.jsonl"), 1);
}

TEST_F(Simulating, WhatCannotBeToldIsNotFine)
{
    std::ofstream(file("empty.jsonl")) << "hostward: guard ready\n";
    EXPECT_EQ(simulate("same.toml", "empty.jsonl"), 8) << "nothing is recorded";
    std::ofstream(file("damaged.jsonl")) << denial() << "{\"decision\":\"allow\",\n";
    EXPECT_EQ(simulate("same.toml", "damaged.jsonl"), 8);
    EXPECT_NE(read("out").find(R"("damaged_lines":1,)"), std::string::npos) << read("out");
    EXPECT_EQ(simulate("opens.toml", "damaged.jsonl"), 11) << "a change is a change";
    std::ofstream(file("gone.jsonl")) << denial(R"(,"euid":null)");
    EXPECT_EQ(simulate("same.toml", "gone.jsonl"), 8);
    EXPECT_NE(read("out").find("it is not known who asked"), std::string::npos) << read("out");
}

TEST_F(Simulating, ReadsThePolicyAsTheGuardDoes)
{
    fs::create_directories(dir_ / "policy.d");
    std::ofstream(file("policy.d/50-more.toml")) << rule("4711", "b");
    EXPECT_EQ(simulate("same.toml"), 11) << "with its drop-ins" << read("err");
    fs::permissions(file("same.toml"), fs::perms::others_write, fs::perm_options::add);
    std::vector<std::string> words{"guard", "explain", "--policy", file("same.toml"), "--events", file("kept.jsonl")};
    EXPECT_EQ(run(words), ::geteuid() == 0 ? 3 : 11);
    words.emplace_back("--any-owner");
    EXPECT_EQ(run(words), 11) << read("err");
    words.insert(words.end(), {"--last-denial", "--pin-dir", file("pins")});
    EXPECT_EQ(run(words), 0) << "one caller, asked of that policy" << read("err");
    EXPECT_TRUE(read("out").starts_with("policy: \"" + file("same.toml") + "\", which is not loaded\n")) << read("out");
    EXPECT_NE(read("out").find("allow: rule \"b\""), std::string::npos) << read("out");
}

TEST_F(Simulating, WhatLearnProposesRefusesNothingOfWhatItLearnedFrom)
{
    fs::create_directories(dir_ / "policy.d");
    EXPECT_EQ(run({"guard", "learn", "--config", file("same.toml"), "--events", file("kept.jsonl"), "--output",
                   file("policy.d/50-seen.toml")}),
              0)
        << read("err");
    // Its program is in memory only, which is never proposed: the denial stays.
    EXPECT_EQ(simulate("same.toml"), 0) << read("out");
    std::string trusted = denial();
    trusted.replace(trusted.find("true"), 4, "false");
    std::ofstream(file("kept.jsonl")) << trusted;
    EXPECT_EQ(run({"guard", "learn", "--force", "--config", file("same.toml"), "--events", file("kept.jsonl"),
                   "--output", file("policy.d/50-seen.toml")}),
              0)
        << read("err");
    EXPECT_EQ(simulate("same.toml"), 11) << read("err");
    EXPECT_NE(read("out").find(R"("would_be_allowed":{"total":{"decisions":2,)"), std::string::npos) << read("out");
    EXPECT_NE(read("out").find(R"("would_be_refused":{"total":{"decisions":0,)"), std::string::npos) << read("out");
    EXPECT_NE(read("out").find(R"("cannot_tell":{"total":{"decisions":0,)"), std::string::npos) << read("out");
}

TEST_F(Program, TheLastLineOfAKeptFileMayLackItsEnd)
{
    std::ofstream(file("kept.jsonl"))
        << R"({"time":"2026-11-21T02:00:00.000Z","first":"2026-11-21T02:00:00.000Z","count":2,"decision":"deny"})";
    EXPECT_EQ(run({"guard", "learn", "--json", "--config", file("good.toml"), "--events", file("kept.jsonl")}), 0);
    EXPECT_TRUE(read("out").starts_with(R"({"version":1,"decisions":2,)")) << read("out");
    fs::copy_file(file("kept.jsonl"), file("events.jsonl"));
    EXPECT_EQ(run({"guard", "learn", "--json", "--config", file("good.toml"), "--run-dir", dir_}), 0);
    EXPECT_TRUE(read("out").starts_with(R"({"version":1,"decisions":0,)")) << "it may be written right now";
}

TEST_F(Program, PrintsTheEventsOfAFile)
{
    std::ofstream(file("events.jsonl")) << R"({"decision":"deny","time":"t","uid":7})"
                                        << "\nnot an event\n";
    EXPECT_EQ(run({"guard", "events", "--run-dir", dir_}), 0);
    EXPECT_EQ(read("out"), "t deny       uid 7 with unknown program -> unknown endpoint (unknown, unknown hook)\n");
    EXPECT_NE(read("err").find("1 lines are no events"), std::string::npos) << read("err");
    EXPECT_EQ(run({"guard", "events", "--run-dir", file("none")}), 1);
}

TEST_F(Program, AResultThatDoesNotArriveIsAFailure)
{
    EXPECT_EQ(run({"--version"}, "/dev/full"), 1);
    EXPECT_NE(read("err").find("No space left"), std::string::npos) << read("err");
    EXPECT_EQ(run({"--version"}, std::nullopt), 1);
}

TEST_F(Program, AClosedOutputIsNotTheFirstFileItOpens)
{
    const std::string before = read("good.toml");
    EXPECT_EQ(run({"config", "print", "--config", file("good.toml")}, std::nullopt), 1);
    EXPECT_EQ(read("good.toml"), before);
}

TEST_F(Program, AReaderThatLeftEndsItQuietly)
{
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    UniqueFd reading(ends[0]);
    const UniqueFd writing(ends[1]);
    reading.reset();
    EXPECT_EQ(run({"--version"}, "/proc/self/fd/" + std::to_string(writing.get())), 1);
    EXPECT_EQ(read("err"), "") << "`| head` is nothing to complain about";
}

} // namespace
} // namespace hostward::cli
