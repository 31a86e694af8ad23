// SPDX-License-Identifier: Apache-2.0
// Containers as a real runtime makes them, in the cgroups that Docker and kubelet give them: whom the rules take them
// for, and how the events name them.
#include "tests/e2e/support/rows.h"

#include <nlohmann/json.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace hostward::e2e {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr auto kRuntime = "/usr/bin/crun";
constexpr auto kEventTimeout = Milliseconds(20'000);
const std::string kId(64, 'c');
const std::string kPodSlice = "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0a1b_2c3d.slice/";

/// Root on the host may, root in a container may not.
constexpr auto kHostRoot = R"(
[guard]
mode = "enforce"
[[guard.rule]]
name = "host-root"
action = "allow"
user = ["root"]
[[guard.rule]]
name = "container-root"
action = "deny"
user = ["root"]
scope = "container"
)";

class Containers : public AttackTest {
protected:
    void SetUp() override
    {
        AttackTest::SetUp();
        auto agent = site().guard.start_agent(kHostRoot);
        ASSERT_TRUE(agent) << agent.error().text;
        agent_.emplace(agent.take());
    }

    void TearDown() override
    {
        if (agent_) {
            agent_->signal(SIGTERM);
            (void)agent_->finish(kEventTimeout);
        }
        AttackTest::TearDown();
    }

    /// A bundle of the one program, with these namespaces of its own and the rest the host's.
    static std::string make_bundle(const std::vector<std::string>& namespaces)
    {
        static int number = 0;
        const std::string bundle = std::string(kScratch) + "/bundle" + std::to_string(++number);
        fs::create_directories(bundle + "/rootfs/proc");
        fs::create_directories(bundle + "/rootfs/dev");
        fs::copy_file(attack_path("tcp"), bundle + "/rootfs/tcp");
        json list = json::array();
        for (const auto& kind : namespaces) {
            list.push_back({{"type", kind}});
        }
        const json process{{"user", {{"uid", 0}, {"gid", 0}}}, {"args", {"/tcp", kImds4}}, {"cwd", "/"}};
        const json mount{{"destination", "/proc"}, {"type", "proc"}, {"source", "proc"}};
        const json config{{"ociVersion", "1.0.0"},
                          {"process", process},
                          {"root", {{"path", "rootfs"}}},
                          {"mounts", {mount}},
                          {"linux", {{"namespaces", list}}}};
        std::ofstream(bundle + "/config.json") << config.dump();
        return bundle;
    }

    /// `crun run` in a cgroup that its caller made, as containerd does for a pod in the host's network.
    Launch container(const std::string& cgroup, const std::vector<std::string>& namespaces)
    {
        const auto folder = site().cgroups.make(cgroup);
        EXPECT_TRUE(folder) << folder.error().text;
        const std::string bundle = make_bundle(namespaces);
        Launch launch = site().attack({"tcp"});
        // The runtime refuses a host that has the old hierarchies as well: it is shown the new one alone.
        const std::string script = "mount -t cgroup2 none /sys/fs/cgroup && exec \"$@\"";
        launch.argv = {"/usr/bin/unshare",
                       "--mount",
                       "/bin/sh",
                       "-c",
                       script,
                       "sh",
                       kRuntime,
                       "--root",
                       std::string(kScratch) + "/crun",
                       "--cgroup-manager=disabled",
                       "run",
                       "-b",
                       bundle,
                       fs::path(bundle).filename()};
        launch.who = root();
        launch.cgroup = folder ? *folder : "";
        return launch;
    }

    /// Runs it; the event of its decision.
    json event_of(const Launch& launch)
    {
        const auto outcome = run(launch);
        EXPECT_TRUE(outcome) << outcome.error().text;
        const std::string cgroup = "/" + fs::path(launch.cgroup).filename().string() + "\",";
        const auto line = agent_->await_line(cgroup, kEventTimeout);
        EXPECT_TRUE(line) << (outcome ? outcome->text() : "") << line.error().text;
        json event = line ? json::parse(*line, nullptr, false) : json::object();
        EXPECT_EQ(outcome ? outcome->exit_code : -1, event.value("decision", "") == "allow" ? 0 : 1) << outcome->text();
        return event;
    }

    std::optional<Child> agent_;
};

void expect_container(const json& event, const std::string& runtime, const json& pod_uid)
{
    EXPECT_EQ(event.value("decision", ""), "deny") << event;
    EXPECT_EQ(event.value("rule", ""), "container-root") << event;
    EXPECT_EQ(event.value("container", false), true) << event;
    EXPECT_EQ(event.value("container_runtime", ""), runtime) << event;
    EXPECT_EQ(event.value("container_id", ""), kId) << event;
    EXPECT_EQ(event.value("pod_uid", json()), pod_uid) << event;
}

TEST_F(Containers, InTheHostsNetwork)
{
    if (access(kRuntime, X_OK) != 0) {
        GTEST_SKIP() << "crun is not installed";
    }
    const std::string containerd = kPodSlice + "cri-containerd-" + kId + ".scope";
    const std::string docker = "system.slice/docker-" + kId + ".scope";
    expect_container(event_of(container(containerd, {"pid", "mount", "ipc", "uts", "cgroup"})), "containerd",
                     "0a1b-2c3d");
    // hostNetwork and hostPID: what is left is the namespace of cgroups.
    expect_container(event_of(container(kPodSlice + "crio-" + kId + ".scope", {"mount", "cgroup"})), "cri-o",
                     "0a1b-2c3d");
    expect_container(event_of(container(docker, {"mount", "cgroup"})), "docker", json());
    // Privileged as well: what is left is the pod's cgroup.
    expect_container(event_of(container("kubepods/besteffort/pod0a1b-2c3d/" + kId, {"mount"})), "kubernetes",
                     "0a1b-2c3d");
}

TEST_F(Containers, HostProcessesAreNone)
{
    Launch host = site().attack({"tcp", kImds4});
    host.who = root();
    const json event = event_of(host);
    EXPECT_EQ(event.value("rule", ""), "host-root") << event;
    EXPECT_EQ(event.value("container", true), false) << event;
    EXPECT_EQ(event.value("container_id", json("x")), json()) << event;
}

TEST_F(Containers, ANameInAUsersOwnSubtreeIsNobodys)
{
    const auto fake =
        site().cgroups.make("user.slice/user-1000.slice/user@1000.service/kubepods.slice/docker-" + kId + ".scope");
    ASSERT_TRUE(fake) << fake.error().text;
    Launch launch = site().attack({"tcp", kImds4});
    launch.cgroup = *fake;
    const json event = event_of(launch);
    EXPECT_EQ(event.value("decision", ""), "deny") << event;
    EXPECT_EQ(event.value("container", true), false) << event;
    EXPECT_EQ(event.value("container_runtime", json("x")), json()) << event;
    EXPECT_EQ(event.value("container_id", json("x")), json()) << event;
    EXPECT_EQ(event.value("unit", ""), "user@1000.service") << event;
}

} // namespace
} // namespace hostward::e2e
