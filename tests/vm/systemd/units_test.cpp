// SPDX-License-Identifier: Apache-2.0
// The packaged unit on a machine that systemd boots: the guard is up before the network, real units are told apart, and
// stopping or killing the agent opens nothing. Runs only in the test machine (run.py --systemd --unit ...).
#include "tests/e2e/support/sandbox.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace hostward {
namespace {

using e2e::Launch;
using e2e::Outcome;

constexpr auto kAddress = "169.254.169.254";
constexpr auto kAgent = "hostward-guard.service";
constexpr int kFreshUnits = 100;
constexpr int kRefused = 1; // exit code of the attack programs when the kernel said no
constexpr e2e::Milliseconds kPatience{120'000};

Outcome command(std::vector<std::string> argv)
{
    Launch launch;
    launch.argv = std::move(argv);
    launch.timeout = kPatience;
    auto outcome = e2e::run(launch);
    EXPECT_TRUE(outcome) << outcome.error().text;
    return outcome ? outcome.take() : Outcome{};
}

void must(std::vector<std::string> argv)
{
    const std::string name = argv[0];
    const Outcome outcome = command(std::move(argv));
    ASSERT_EQ(outcome.exit_code, 0) << name << ": " << outcome.text();
}

std::string client() { return e2e::surroundings().attacks + "/tcp"; }

/// What the client in a fresh unit of this name ends with.
int reaches(const std::string& unit)
{
    return command({"/usr/bin/systemd-run", "--quiet", "--wait", "--collect", "--unit=" + unit, client(), kAddress})
        .exit_code;
}

std::string property(const std::string& unit, const std::string& name)
{
    std::string value = command({"/usr/bin/systemctl", "show", "--value", "-p", name, unit}).out;
    value.erase(value.find_last_not_of('\n') + 1);
    return value;
}

std::string journal() { return command({"/usr/bin/journalctl", "--no-pager", "-u", kAgent}).out; }

/// What the journal has with these matches, once it has any.
std::string entries(const std::vector<std::string>& matches)
{
    std::vector<std::string> argv{"/usr/bin/journalctl", "--no-pager", "--quiet"};
    argv.insert(argv.end(), matches.begin(), matches.end());
    std::string found;
    for (int attempt = 0; attempt < 100 && found.empty(); ++attempt) {
        must({"/usr/bin/journalctl", "--sync"});
        found = command(argv).out;
    }
    return found;
}

class Systemd : public testing::Test {
protected:
    static void SetUpTestSuite()
    {
        const std::string ip = "/usr/sbin/ip";
        must({ip, "netns", "add", "far"});
        must({ip, "link", "add", "near0", "type", "veth", "peer", "name", "far0", "netns", "far"});
        must({ip, "addr", "add", "169.254.1.1/16", "dev", "near0"});
        must({ip, "link", "set", "near0", "up"});
        must({ip, "-n", "far", "addr", "add", std::string(kAddress) + "/16", "dev", "far0"});
        must({ip, "-n", "far", "link", "set", "far0", "up"});
        const std::string simulator = e2e::surroundings().attacks + "/../imds_sim";
        Launch launch;
        launch.argv = {ip, "netns", "exec", "far", simulator, "--listen", kAddress};
        auto started = e2e::Child::start(launch);
        ASSERT_TRUE(started) << started.error().text;
        simulator_.emplace(started.take());
        const auto ready = simulator_->await_line("ready", kPatience);
        ASSERT_TRUE(ready) << ready.error().text;
    }
    static void TearDownTestSuite() { simulator_.reset(); }

    /// A template unit whose instances are one connect.
    static void make_template(const std::string& name)
    {
        std::ofstream file("/run/systemd/system/" + name + "@.service");
        file << "[Service]\nType=oneshot\nExecStart=" << client() << " " << kAddress << "\n";
    }

    static std::optional<e2e::Child> simulator_;
};
std::optional<e2e::Child> Systemd::simulator_;

// In the order written: the last one takes the guard down.

TEST_F(Systemd, TheGuardIsUpBeforeTheNetworkIsPrepared)
{
    ASSERT_EQ(property(kAgent, "ActiveState"), "active") << journal();
    // The unit's sandbox must leave the agent all that it needs.
    for (const char* complaint : {"cannot ", "does not exist"}) {
        EXPECT_EQ(journal().find(complaint), std::string::npos) << journal();
    }
    const std::string guard = property(kAgent, "ActiveEnterTimestampMonotonic");
    const std::string network = property("network-pre.target", "ActiveEnterTimestampMonotonic");
    ASSERT_NE(guard, "0");
    ASSERT_NE(network, "0") << "nothing pulled in network-pre.target";
    EXPECT_LT(std::strtoull(guard.c_str(), nullptr, 10), std::strtoull(network.c_str(), nullptr, 10));
}

TEST_F(Systemd, AnAllowedUnitGetsThroughAndAnotherDoesNot)
{
    EXPECT_EQ(reaches("allowed"), 0) << journal();
    EXPECT_EQ(reaches("other"), kRefused);
    EXPECT_EQ(reaches("allowed-not"), kRefused);
    // systemd calls the cgroup of this one _cpu.service.
    EXPECT_EQ(reaches("cpu"), 0) << journal();
    EXPECT_EQ(reaches("memory"), kRefused);
}

TEST_F(Systemd, TheJournalHasFieldsToAskFor)
{
    EXPECT_EQ(reaches("journaled"), kRefused);
    const std::string found = entries({"-o", "json", "-u", kAgent, "HOSTWARD_DECISION=deny", "HOSTWARD_USER=root",
                                       "HOSTWARD_UNIT=journaled.service"});
    for (const char* part : {R"("MESSAGE":"{\"time\":\")", R"(\"unit\":\"journaled.service\")", R"("PRIORITY":"4")",
                             R"("MESSAGE_ID":"dae889277cbb44f7ba88b5755f48f777")", R"("HOSTWARD_HOOK":"connect4")",
                             R"("HOSTWARD_REASON":"default")", R"("_TRANSPORT":"journal")",
                             R"("_SYSTEMD_UNIT":"hostward-guard.service")"}) {
        EXPECT_NE(found.find(part), std::string::npos) << part << " is not in\n" << found << journal();
    }
    const std::string own = entries({"-o", "cat", "-u", "journaled.service", "HOSTWARD_DECISION=deny"});
    EXPECT_TRUE(own.starts_with("{\"time\":")) << "not among the unit's own lines: " << own;
    EXPECT_EQ(command({"/usr/bin/journalctl", "--quiet", "-u", "allowed.service", "HOSTWARD_DECISION=allow"}).out, "")
        << "what was allowed is no news for the unit";
    EXPECT_NE(entries({"-o", "cat", "-u", kAgent, "HOSTWARD_DECISION=allow", "HOSTWARD_UNIT=allowed.service"}), "");
}

TEST_F(Systemd, TheUnitMayWriteItsMetrics)
{
    const std::string folder = "/var/lib/prometheus/node-exporter";
    const std::string file = folder + "/hostward.prom";
    std::filesystem::create_directories(folder);
    std::filesystem::create_directories("/etc/hostward/policy.d");
    std::ofstream("/etc/hostward/policy.d/metrics.toml") << "[guard]\nmetrics_file = \"" << file << "\"\n";
    must({"/usr/bin/systemctl", "restart", kAgent}); // the folder is new: the unit's mounts have to know it
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    EXPECT_NE(text.str().find("\nhostward_guard_loaded 1\n"), std::string::npos) << text.str() << journal();
    EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms(0644));
    must({"/usr/bin/systemctl", "stop", kAgent});
    EXPECT_FALSE(std::filesystem::exists(file)) << "nobody keeps it up to date";
    must({"/usr/bin/systemctl", "start", kAgent});
}

TEST_F(Systemd, FreshUnitsAreJudgedRightFromTheirFirstInstruction)
{
    make_template("many");
    make_template("few");
    must({"/usr/bin/systemctl", "daemon-reload"});
    std::vector<std::string> start{"/usr/bin/systemctl", "start"};
    for (int number = 1; number <= kFreshUnits; ++number) {
        start.push_back("many@" + std::to_string(number) + ".service");
    }
    const Outcome all = command(start);
    EXPECT_EQ(all.exit_code, 0) << "some were wrongly refused: " << all.text();
    for (int number = 1; number <= 5; ++number) {
        const std::string unit = "few@" + std::to_string(number) + ".service";
        EXPECT_NE(command({"/usr/bin/systemctl", "start", unit}).exit_code, 0);
        EXPECT_EQ(property(unit, "ExecMainStatus"), std::to_string(kRefused)) << unit;
    }
}

TEST_F(Systemd, StoppingTheAgentOpensNothing)
{
    EXPECT_EQ(reaches("last"), kRefused);
    must({"/usr/bin/systemctl", "stop", kAgent});
    EXPECT_NE(entries({"-u", kAgent, "HOSTWARD_DECISION=deny", "HOSTWARD_UNIT=last.service"}), "")
        << "the agent's last lines are the unit's, too";
    EXPECT_EQ(reaches("other"), kRefused);
    EXPECT_EQ(reaches("allowed"), 0);
    must({"/usr/bin/systemctl", "start", kAgent});
    EXPECT_EQ(reaches("other"), kRefused);
    EXPECT_EQ(reaches("allowed"), 0);
}

TEST_F(Systemd, KillingTheAgentOpensNothingAndItComesBack)
{
    const std::string before = property(kAgent, "MainPID");
    must({"/usr/bin/systemctl", "kill", "--signal=KILL", kAgent});
    EXPECT_EQ(reaches("other"), kRefused);
    bool came_back = false;
    for (int attempt = 0; attempt < 100 && !came_back; ++attempt) {
        came_back = property(kAgent, "ActiveState") == "active" && property(kAgent, "MainPID") != before;
    }
    EXPECT_TRUE(came_back) << journal();
    EXPECT_EQ(reaches("other"), kRefused);
    EXPECT_EQ(reaches("allowed"), 0);
}

TEST_F(Systemd, UnloadingIsWhatOpens)
{
    must({"/usr/bin/systemctl", "stop", kAgent});
    must({"/usr/sbin/hostward", "guard", "unload"});
    EXPECT_EQ(reaches("other"), 0) << "the refusals before were not the guard's";
}

} // namespace
} // namespace hostward

int main(int argc, char** argv)
{
    testing::InitGoogleTest(&argc, argv);
    if (!hostward::e2e::surroundings().is_vm) {
        std::fputs("vm_systemd changes the machine it runs on: only for the test machine, see run.py\n", stderr);
        return 2;
    }
    return RUN_ALL_TESTS();
}
