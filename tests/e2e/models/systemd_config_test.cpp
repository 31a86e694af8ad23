// SPDX-License-Identifier: Apache-2.0
// Which files of a service's configuration count, and in which order: as `systemd-analyze cat-config` prints them.
#include "hardening/models/systemd_config.h"
#include "tests/e2e/models/random.h"
#include "tests/e2e/models/random_folders.h"

#include "agent/host/run.h"
#include "hardening/models/conf_files.h"

#include <gtest/gtest.h>

namespace hostward::hardening {
namespace {

const std::vector<std::string> kParents{"/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"};

/// `# /PATH` before each file; no line of a file begins so here.
std::vector<std::string> files_of(const std::string& text, const std::string& root)
{
    std::vector<std::string> files;
    for_each_line(text, [&](std::string_view line, std::uint32_t /*number*/) {
        if (line.starts_with("# " + root + "/")) {
            files.emplace_back(line.substr(2 + root.size()));
        }
    });
    return files;
}

TEST(SystemdConfigModel, AgreesWithCatConfig)
{
    e2e::Random random;
    e2e::RandomFolders folders("journald.conf.d", kParents);
    const std::string first = folders.folder("/etc/systemd");
    const std::string root = first.substr(0, first.find("/etc/systemd"));
    auto host = host::open_host(root);
    ASSERT_TRUE(host.ok());
    int main_files = 0;
    for (std::size_t round = 0; round < e2e::rounds(1000); ++round) {
        folders.fill(random, [&] { return random.of<std::string>({"[Journal]\n", "Storage=none\n", "#x\n", ""}); });
        for (const auto& parent : kParents) {
            const std::string path = root + parent + "/journald.conf";
            std::filesystem::remove(path);
            if (random.one_in(3)) {
                std::ofstream(path) << "[Journal]\n";
            }
        }
        const auto ran = host::run_program(
            {"/usr/bin/systemd-analyze", "--root=" + root, "--no-pager", "cat-config", "systemd/journald.conf"}, {});
        ASSERT_TRUE(ran.ok()) << ran.error().text;
        if (ran->exit_code != 0) {
            continue; // it ends at a link to nothing; systemd itself passes over it
        }
        auto config = read_systemd_config(**host, "journald");
        ASSERT_TRUE(config.ok()) << config.error().text;
        // Files that hide others are printed as well: they have nothing to say.
        auto shown = files_of(ran->out, root);
        std::erase_if(shown, [&](const auto& path) { return std::filesystem::is_symlink(root + path); });
        std::erase_if(config->files, [&](const auto& path) { return std::filesystem::is_symlink(root + path); });
        main_files += !shown.empty() && shown.front().ends_with("/journald.conf") ? 1 : 0;
        ASSERT_EQ(config->files, shown) << "seed " << random.seed() << ", round " << round << "\n"
                                        << folders.shown() << ran->err;
    }
    EXPECT_GT(main_files, 10);
}

} // namespace
} // namespace hostward::hardening
