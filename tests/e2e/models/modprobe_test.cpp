// SPDX-License-Identifier: Apache-2.0
// modprobe.d as `modprobe --showconfig` prints it, and what `modprobe --dry-run` would do with a module.
#include "hardening/models/modprobe.h"
#include "tests/e2e/models/random.h"
#include "tests/e2e/models/random_folders.h"

#include "agent/host/run.h"

#include <gtest/gtest.h>

#include <unistd.h>

namespace hostward::hardening {
namespace {

constexpr auto kProgram = "/usr/sbin/modprobe";
const std::vector<std::string> kModules{"usb-storage", "usb_storage", "cramfs", "hw_m[a-c]x",
                                        "hw_mbx",      "cram*",       "hw-mbx"};

std::string random_line(e2e::Random& random)
{
    const std::string blank = random.of<std::string>({" ", "\t", "  ", " \\\n"});
    const std::string word = random.of<std::string>({"install", "install", "blacklist", "blacklist", "options", "alias",
                                                     "#install", " install", "softdep", "Install"});
    const std::string command =
        random.of<std::string>({"/bin/false", "/bin/true", "/sbin/modprobe -i x", "", "a  b ", "#c"});
    return word + blank + random.of(kModules) + (word.ends_with("install") ? blank + command : "") +
           random.of<std::string>({"\n", "\n", "\n\n", " \n"});
}

/// Lines of --showconfig that are ours; one for each, in the program's order.
std::vector<std::string> lines_of(const std::string& text, const std::string& start)
{
    std::vector<std::string> found;
    for_each_line(text, [&](std::string_view line, std::uint32_t /*number*/) {
        if (line.starts_with(start)) {
            found.emplace_back(line);
        }
    });
    return found;
}

std::vector<std::string> as_shown(const ModprobeConfig& config, bool installs)
{
    std::vector<std::string> lines;
    for (const auto& one : config.installs) {
        lines.push_back("install " + one.modules + " " + one.command);
    }
    if (!installs) {
        lines.clear();
        for (const auto& one : config.blacklist) {
            lines.push_back("blacklist " + one.module);
        }
    }
    return lines;
}

/// What a dry run prints for a module that only the configuration knows. Such a module is found by its own line, so
/// patterns before that line are left to --showconfig, which shows the order.
void expect_dry_run(const ModprobeConfig& config, const std::string& module, const std::string& context)
{
    const auto* install = config.install_of(module);
    if (install == nullptr || install->modules != module_name(module)) {
        return;
    }
    const auto ran = host::run_program({kProgram, "--dry-run", "--verbose", module}, {});
    ASSERT_TRUE(ran.ok());
    const auto shown = lines_of(ran->out, "install ");
    ASSERT_EQ(shown.size(), 1U) << context << ran->out << ran->err;
    // modprobe puts the module's options behind the command.
    EXPECT_TRUE(trimmed(shown[0].substr(8)).starts_with(trimmed(install->command))) << shown[0] << context;
}

TEST(ModprobeModel, AgreesWithModprobe)
{
    if (::geteuid() != 0) {
        GTEST_SKIP() << "needs root";
    }
    e2e::Random random;
    e2e::RandomFolders folders("modprobe.d", {"/etc", "/run", "/usr/local/lib", "/usr/lib"});
    ASSERT_TRUE(folders.enter());
    auto host = host::open_host("/");
    ASSERT_TRUE(host.ok());
    std::size_t seen = 0;
    for (std::size_t round = 0; round < e2e::rounds(1000); ++round) {
        folders.fill(random, [&] { return random_line(random); });
        const auto ran = host::run_program({kProgram, "--showconfig"}, {});
        ASSERT_TRUE(ran.ok());
        Facts facts(**host, 0);
        const auto& config = facts.get<ModprobeConfig>();
        ASSERT_TRUE(config.ok()) << config.error().text;
        const std::string context =
            "seed " + std::to_string(random.seed()) + ", round " + std::to_string(round) + "\n" + folders.shown();
        ASSERT_EQ(as_shown(*config, true), lines_of(ran->out, "install ")) << context;
        ASSERT_EQ(as_shown(*config, false), lines_of(ran->out, "blacklist ")) << context;
        seen += config->installs.size() + config->blacklist.size();
        expect_dry_run(*config, random.one_in(2) ? "hw-mbx" : "cramfs", context);
    }
    EXPECT_GT(seen, 100U); // else the rounds showed nothing
}

} // namespace
} // namespace hostward::hardening
