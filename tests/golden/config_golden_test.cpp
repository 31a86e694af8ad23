// SPDX-License-Identifier: Apache-2.0
// What a person reads about a policy file: config/NAME.toml gives exactly config/NAME.expected.
// golden_config --update-golden writes the expectations anew; look at the difference before you commit it.
#include "agent/config/guard_config.h"
#include "tests/unit/guard/fake_resolver.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace hostward::guard {

bool update_golden = false; // set by main() from the arguments

namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path)
{
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

FakeResolver golden_world()
{
    FakeResolver resolver;
    resolver.exes["/usr/bin/amazon-ssm-agent"] = file(1);
    resolver.exes["/usr/bin/python3"] = file(2);
    resolver.exes["/usr/bin/python3"].interpreter = true;
    resolver.exes["/home/alice/tool"] = file(3);
    resolver.exes["/home/alice/tool"].writable_by = "directory \"/home/alice\" belongs to uid 1000";
    return resolver;
}

/// The errors, or `ok` and the warnings.
std::string outcome(const std::string& text, const std::string& name)
{
    const auto config = config::parse(text, name);
    if (!config) {
        return config.error().text + "\n";
    }
    FakeResolver resolver = golden_world();
    const auto policy = compile(*config, resolver);
    if (!policy) {
        return policy.error().text + "\n";
    }
    std::string out = "ok\n";
    for (const auto& warning : policy->warnings) {
        out += warning + "\n";
    }
    return out;
}

TEST(ConfigGolden, TextsAreAsExpected)
{
    std::set<std::string> stems;
    for (const auto& entry : fs::directory_iterator(HOSTWARD_GOLDEN_DIR)) {
        stems.insert(entry.path().stem());
    }
    EXPECT_GE(stems.size(), 15U);
    for (const auto& stem : stems) {
        const fs::path base = fs::path(HOSTWARD_GOLDEN_DIR) / stem;
        const fs::path input = base.string() + ".toml";
        const fs::path expected = base.string() + ".expected";
        ASSERT_TRUE(fs::exists(input)) << stem << " has no input";
        const std::string got = outcome(read(input), input.filename());
        if (update_golden) {
            std::ofstream(expected) << got;
        }
        ASSERT_TRUE(fs::exists(expected)) << stem << " has no expectation";
        EXPECT_EQ(got, read(expected)) << stem;
    }
}

} // namespace
} // namespace hostward::guard

int main(int argc, char** argv)
{
    testing::InitGoogleTest(&argc, argv);
    hostward::guard::update_golden = argc == 2 && std::string_view(argv[1]) == "--update-golden";
    return RUN_ALL_TESTS();
}
