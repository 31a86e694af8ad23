// SPDX-License-Identifier: Apache-2.0
// sysctl.d as systemd-sysctl applies it: in a network namespace of the test's own, where only net.* is written, the
// values that it leaves are those that the model foresees.
#include "hardening/models/sysctl.h"
#include "tests/e2e/models/random.h"
#include "tests/e2e/models/random_folders.h"

#include "agent/host/run.h"

#include <gtest/gtest.h>

#include <sched.h>
#include <unistd.h>

#include <fstream>
#include <map>

namespace hostward::hardening {
namespace {

constexpr auto kProgram = "/usr/lib/systemd/systemd-sysctl";
constexpr auto kBefore = "1"; ///< what every key has before a round

const std::vector<std::string> kKeys{
    "net/ipv4/conf/all/log_martians",       "net/ipv4/conf/default/log_martians", "net/ipv4/conf/lo/log_martians",
    "net/ipv4/conf/all/rp_filter",          "net/ipv4/conf/default/rp_filter",    "net/ipv4/conf/all/secure_redirects",
    "net/ipv4/conf/default/send_redirects", "net/ipv4/conf/lo/accept_redirects",  "net/ipv4/tcp_syncookies",
};

/// As somebody writes it: dots or slashes, a dash, a pattern, blanks, comments, nonsense.
std::string random_line(e2e::Random& random)
{
    std::string key = random.of(kKeys);
    const auto replace = [&](const std::string& from, const std::string& to) {
        if (const auto at = key.find(from); at != key.npos) {
            key.replace(at, from.size(), to);
        }
    };
    if (random.one_in(4)) {
        replace(random.of<std::string>({"all", "default", "lo"}),
                random.of<std::string>({"*", "?o", "[ad]*", "{all,d*}", "{lo,all}", "**"}));
    }
    if (random.one_in(8)) {
        replace("/", "//");
    }
    if (!random.one_in(3)) {
        for (auto& c : key) {
            c = c == '/' ? '.' : c;
        }
    }
    const std::string dash = random.one_in(6) ? random.of<std::string>({"-", "- ", "--"}) : "";
    // Nothing that the kernel refuses: then the line before it counts, which only the kernel can know.
    const std::string value = random.of<std::string>({"0", "2", "1", " 2 "});
    const std::string equals = random.one_in(8) ? "" : random.of<std::string>({"=", " = ", "\t=", "= "});
    const std::string start = random.one_in(9) ? random.of<std::string>({"#", ";", " ", "\t# "}) : "";
    return start + dash + key + equals + (equals.empty() ? "" : value) +
           random.of<std::string>({"\n", "\n", "\r\n", "\n\n", "\r"});
}

bool write_value(const std::string& key, const std::string& value)
{
    std::ofstream file("/proc/sys/" + key);
    return static_cast<bool>(file << value << std::flush);
}

std::string taken(const SysctlSetting* setting)
{
    return setting == nullptr ? kBefore : std::string(trimmed(*setting->value));
}

TEST(SysctlModel, AgreesWithSystemdSysctl)
{
    if (::geteuid() != 0) {
        GTEST_SKIP() << "needs root";
    }
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
    e2e::Random random;
    e2e::RandomFolders folders("sysctl.d", {"/etc", "/run", "/usr/local/lib", "/usr/lib"});
    ASSERT_TRUE(folders.enter());
    auto host = host::open_host("/");
    ASSERT_TRUE(host.ok());
    int set = 0;
    for (std::size_t round = 0; round < e2e::rounds(1000); ++round) {
        for (const auto& key : kKeys) {
            ASSERT_TRUE(write_value(key, kBefore)) << key;
        }
        folders.fill(random, [&] { return random_line(random); });
        ASSERT_TRUE(host::run_program({kProgram, "--prefix=net/ipv4"}, {}).ok());
        Facts facts(**host, 0);
        const auto& config = facts.get<SysctlConfig>();
        ASSERT_TRUE(config.ok()) << config.error().text;
        for (const auto& key : kKeys) {
            const auto* setting = config->at_boot(key);
            set += setting != nullptr ? 1 : 0;
            ASSERT_EQ(running_sysctl(**host, key).value(), taken(setting))
                << key << ", seed " << random.seed() << ", round " << round << "\n"
                << folders.shown();
        }
    }
    EXPECT_GT(set, 100); // else the rounds showed nothing
}

} // namespace
} // namespace hostward::hardening
