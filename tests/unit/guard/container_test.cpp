// SPDX-License-Identifier: Apache-2.0
// The paths are those that the managers make, taken from hosts and from their documentation.
#include "agent/guard/container.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace hostward::guard {
namespace {

constexpr auto kId = "3f2a9c4be1d07865a4b3c2d1e0f98877665544332211ffeeddccbbaa00112233";

std::string text(const std::string& path)
{
    const Container found = container_of(path);
    return found.runtime + " " + (found.id == kId ? "ID" : found.id) + " " + found.pod_uid + " " + found.qos;
}

std::string with_id(std::string path)
{
    path.replace(path.find("ID"), 2, kId);
    return path;
}

constexpr auto kNone = "   ";

TEST(Container, OfTheSystemdDriver)
{
    EXPECT_EQ(text(with_id("/system.slice/docker-ID.scope")), "docker ID  ");
    EXPECT_EQ(text(with_id("/system.slice/docker-ID.scope/init.scope")), "docker ID  ");
    EXPECT_EQ(text(with_id("/my.slice/my-app.slice/docker-ID.scope")), "docker ID  ") << "--cgroup-parent";
    EXPECT_EQ(text(with_id("/ecstasks.slice/ecstasks-0a1b.slice/docker-ID.scope")), "docker ID  ");
    EXPECT_EQ(text(with_id("/machine.slice/libpod-ID.scope/container")), "podman ID  ");
    EXPECT_EQ(text(with_id("/system.slice/nerdctl-ID.scope")), "containerd ID  ");
    EXPECT_EQ(text("/machine.slice/machine-web\\x2d1.scope/payload"), "systemd-nspawn web-1  ");
    EXPECT_EQ(text("/machine.slice/systemd-nspawn@web.service/payload"), "systemd-nspawn web  ");
}

TEST(Container, OfAPodWithTheSystemdDriver)
{
    const std::string top = "/kubepods.slice/";
    const std::string uid = "0a1b2c3d-1111-2222-3333-444455556666";
    EXPECT_EQ(text(with_id(top + "kubepods-burstable.slice/kubepods-burstable-pod0a1b2c3d_1111_2222_3333_444455556666"
                                 ".slice/cri-containerd-ID.scope")),
              "containerd ID " + uid + " burstable");
    EXPECT_EQ(text(with_id(top + "kubepods-besteffort.slice/kubepods-besteffort-pod0a1b2c3d_1111_2222_3333_444455556666"
                                 ".slice/crio-ID.scope/container")),
              "cri-o ID " + uid + " besteffort");
    EXPECT_EQ(text(with_id(top + "kubepods-pod0a1b2c3d_1111_2222_3333_444455556666.slice/docker-ID.scope")),
              "docker ID " + uid + " guaranteed");
    // A static pod's uid is a checksum. kubelet may have a root of its own.
    EXPECT_EQ(text(with_id("/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-"
                           "burstable-pod0123456789abcdef0123456789abcdef.slice/cri-containerd-ID.scope")),
              "containerd ID 0123456789abcdef0123456789abcdef burstable");
}

TEST(Container, OfTheCgroupfsDriver)
{
    EXPECT_EQ(text(with_id("/docker/ID")), "docker ID  ");
    EXPECT_EQ(text(with_id("/ecs/0123456789abcdef/ID")), "docker ID  ");
    EXPECT_EQ(text(with_id("/libpod_parent/libpod-ID")), "podman ID  ");
    EXPECT_EQ(text("/lxc.payload.web/system.slice/a.service"), "lxc web  ");
    EXPECT_EQ(text("/lxc/web"), "lxc web  ");
    EXPECT_EQ(text(with_id("/kubepods/burstable/pod0a1b-2c/ID")), "kubernetes ID 0a1b-2c burstable");
    EXPECT_EQ(text(with_id("/kubepods/besteffort/pod0a1b-2c/crio-ID")), "cri-o ID 0a1b-2c besteffort");
    EXPECT_EQ(text(with_id("/kubepods/pod0a1b-2c/ID")), "kubernetes ID 0a1b-2c guaranteed");
    EXPECT_EQ(text("/kubepods/pod0a1b-2c"), "kubernetes  0a1b-2c guaranteed");
}

// Whoever is given a cgroup makes any name below it: a user's own manager, a service with Delegate=, a container.
TEST(Container, TrustsNoNameThatOthersThanRootCouldMake)
{
    EXPECT_EQ(text(with_id("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope")), kNone);
    EXPECT_EQ(text(with_id("/user.slice/user-1000.slice/user@1000.service/kubepods.slice/docker-ID.scope")), kNone);
    EXPECT_EQ(text(with_id("/user.slice/user-1000.slice/session-2.scope/docker-ID.scope")), kNone);
    EXPECT_EQ(text(with_id("/system.slice/app.service/docker-ID.scope")), kNone);
    EXPECT_EQ(text(with_id("/system.slice/app.service/docker/ID")), kNone);
    EXPECT_EQ(text(with_id("/other/docker-ID.scope")), kNone);
    EXPECT_EQ(text(with_id("/docker-ID.scope")), kNone);
    EXPECT_EQ(text(with_id(".../system.slice/docker-ID.scope")), kNone) << "cut: the top is unknown";
    // Below a container the names are the container's: the outer one counts.
    const std::string outer = "/system.slice/docker-" + std::string(64, 'a') + ".scope";
    EXPECT_EQ(container_of(with_id(outer + "/kubepods/pod1/ID")).id, std::string(64, 'a'));
}

TEST(Container, IsNoOtherName)
{
    for (const char* path :
         {"", "/", "//", "/system.slice", "/system.slice/docker.service", "/system.slice/docker-.scope", "/docker",
          "/docker/compose", "/kubepods", "/kubepods.slice", "/kubepods/burstable", "/kubepods/podXYZ",
          "/kubepods.slice/kubepods-burstable.slice", "/libpod_parent", "/ecs/a",
          "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope", "/lxc", "/lxc.payload."}) {
        EXPECT_EQ(text(path), kNone) << path;
    }
    EXPECT_EQ(text(with_id("/machine.slice/libpod-conmon-ID.scope")), kNone) << "podman's monitor, on the host";
    EXPECT_EQ(text(with_id("/system.slice/docker-ID.service")), kNone);
    EXPECT_EQ(text(with_id("/system.slice/docker-IDa.scope")), kNone);
    EXPECT_EQ(text(with_id("/docker/IDa")), kNone);
    EXPECT_EQ(container_of(with_id("/kubepods.slice/kubepods-podXY.slice/docker-ID.scope")).pod_uid, "");
    EXPECT_EQ(container_of(with_id("/a.slice/a-podab.slice/docker-ID.scope")).pod_uid, "");
}

// Names from which every manager makes its own, in any order: what is told is always whole.
TEST(Container, TellsAllOrNothing)
{
    const std::vector<std::string> names{
        "kubepods",
        "kubepods.slice",
        "burstable",
        "kubepods-burstable.slice",
        "pod0a1b",
        "kubepods-pod0a_1b.slice",
        "docker",
        "ecs",
        "libpod_parent",
        "system.slice",
        "lxc",
        "machine.slice",
        "a.service",
        "lxc.payload.a",
        "",
        ".slice",
        "-pod.slice",
        "podX",
        "machine-a.scope",
        kId,
        with_id("docker-ID.scope"),
        with_id("crio-ID"),
        with_id("libpod-ID"),
    };
    std::mt19937 random(3);
    std::uniform_int_distribution<std::size_t> pick(0, names.size() - 1);
    std::map<std::string, int> seen;
    for (int i = 0; i < 200'000; ++i) {
        std::string path;
        for (std::size_t depth = random() % 5; depth > 0; --depth) {
            path += "/" + names[pick(random)];
        }
        const Container found = container_of(path);
        ++seen[found.runtime];
        EXPECT_EQ(found.runtime.empty(), found.id.empty() && found.pod_uid.empty()) << path;
        EXPECT_EQ(found.qos.empty(), found.pod_uid.empty()) << path;
        const bool by_name = found.runtime == "lxc" || found.runtime == "systemd-nspawn";
        EXPECT_TRUE(by_name || found.id.empty() || found.id == kId) << path;
        const bool delegated = path.starts_with("/a.service") || path.starts_with("/system.slice/a.service");
        EXPECT_TRUE(!delegated || found.runtime.empty()) << path;
    }
    EXPECT_EQ(seen.size(), 7U) << "the test tries too little";
}

TEST(Container, PodsAreKnownByTheirTop)
{
    EXPECT_TRUE(is_pod_path("/kubepods/pod1/a"));
    EXPECT_TRUE(is_pod_path("/kubepods.slice/kubepods-pod1.slice/a.scope"));
    EXPECT_FALSE(is_pod_path("/system.slice/kubepods"));
    EXPECT_FALSE(is_pod_path("/user.slice/user-1000.slice/user@1000.service/kubepods.slice"));
    EXPECT_FALSE(is_pod_path("/"));
}

} // namespace
} // namespace hostward::guard
