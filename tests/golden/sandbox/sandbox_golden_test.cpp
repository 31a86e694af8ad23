// SPDX-License-Identifier: Apache-2.0
// What every process of ours may still do. golden_sandbox --update-golden writes filters.txt and capabilities.txt anew;
// look at the difference before you commit it.
#include "agent/sandbox/capabilities.h"
#include "agent/sandbox/filter.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace hostward::sandbox {

bool update_golden = false; // set by main() from the arguments

namespace {

namespace fs = std::filesystem;

void compare(const std::string& name, const std::string& got)
{
    const fs::path path = fs::path(HOSTWARD_GOLDEN_DIR) / name;
    if (update_golden) {
        std::ofstream(path) << got;
    }
    std::ostringstream expected;
    expected << std::ifstream(path).rdbuf();
    EXPECT_EQ(got, expected.str()) << path;
}

std::string capabilities_text()
{
    std::string out;
    for (const auto program : kPrograms) {
        out += std::string(name_of(program)) + ":";
        for (const auto& name : kept_capabilities(program, Output::Own)) {
            out += " " + name;
        }
        out += "\n";
    }
    return out;
}

TEST(SandboxGolden, Filters) { compare("filters.txt", filters_text()); }

TEST(SandboxGolden, Capabilities) { compare("capabilities.txt", capabilities_text()); }

} // namespace
} // namespace hostward::sandbox

int main(int argc, char** argv)
{
    testing::InitGoogleTest(&argc, argv);
    hostward::sandbox::update_golden = argc == 2 && std::string_view(argv[1]) == "--update-golden";
    return RUN_ALL_TESTS();
}
