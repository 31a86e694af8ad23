// SPDX-License-Identifier: Apache-2.0
// What `guard events` prints of the golden lines, with and without filters. command/NAME.txt holds each text.
// golden_events_command --update-golden writes the expectations anew; look at the difference before you commit it.
#include "agent/base/unique_fd.h"
#include "agent/cli/commands.h"
#include "tests/unit/host/temp_tree.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace hostward::cli {

bool update_golden = false; // set by main() from the arguments

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

const fs::path kFolder = fs::path(HOSTWARD_GOLDEN_DIR) / "command";

std::string read(const fs::path& path)
{
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

/// One rotated file, one that is written, and in it what is no event.
void make_events(const host::TempTree& tree)
{
    const std::string lines = read(fs::path(HOSTWARD_GOLDEN_DIR) / "expected.jsonl");
    const auto half = lines.find('\n', lines.size() / 2) + 1;
    tree.write("events.jsonl.1", lines.substr(0, half));
    tree.write("events.jsonl", "no event\n" + lines.substr(half));
}

/// Standard output of `hostward guard events` with these words.
std::string events(const host::TempTree& tree, Words words)
{
    words.insert(words.begin(), {"hostward", "guard", "events", "--run-dir", tree.root()});
    std::vector<const char*> argv;
    for (const auto& word : words) {
        argv.push_back(word.c_str());
    }
    const auto parsed = parse_command_line(static_cast<int>(argv.size()), argv.data());
    const auto* line = std::get_if<CommandLine>(&parsed);
    EXPECT_NE(line, nullptr) << words.back();
    const UniqueFd file(::open(tree.path("out").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    Output out(file.get());
    Output err(STDERR_FILENO);
    const auto code = line == nullptr ? Result<ExitCode>(invalid_error("")) : guard_events(*line, {out, err});
    EXPECT_TRUE(code && *code == ExitCode::Ok) << words.back();
    return read(tree.path("out"));
}

const std::map<std::string, Words>& calls()
{
    static const std::map<std::string, Words> all{
        {"all", {}},
        {"all_json", {"--json"}},
        {"denied", {"--decision", "deny"}},
        {"would_deny_json", {"--decision", "would-deny", "--json"}},
        {"rule", {"--rule", "ssm-agent"}},
        {"unit_and_program",
         {"--user", "alice", "--unit", "a.service", "--exe", "/usr/bin/curl", "--decision", "deny"}},
        {"container_json", {"--container", "--json"}},
        {"another_user", {"--user", "bob"}},
        {"since_before", {"--since", "2026-11-21T02:00:03Z", "--decision", "allow"}},
        {"since_after", {"--since", "2026-11-21T02:00:04Z"}},
    };
    return all;
}

TEST(EventsCommandGolden, OutputIsAsExpected)
{
    const host::TempTree tree;
    make_events(tree);
    for (const auto& [name, words] : calls()) {
        const std::string text = events(tree, words);
        const fs::path expected = kFolder / (name + ".txt");
        if (update_golden) {
            std::ofstream(expected) << text;
        }
        ASSERT_TRUE(fs::exists(expected)) << name << " has no expectation";
        EXPECT_EQ(text, read(expected)) << name;
    }
}

TEST(EventsCommandGolden, EveryExpectationIsCompared)
{
    for (const auto& entry : fs::directory_iterator(kFolder)) {
        EXPECT_TRUE(calls().contains(entry.path().stem())) << entry.path() << " belongs to no call";
    }
}

} // namespace
} // namespace hostward::cli

int main(int argc, char** argv)
{
    testing::InitGoogleTest(&argc, argv);
    hostward::cli::update_golden = argc == 2 && std::string_view(argv[1]) == "--update-golden";
    return RUN_ALL_TESTS();
}
