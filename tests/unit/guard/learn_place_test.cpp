// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/learn_place.h"

#include <gtest/gtest.h>

namespace hostward::guard {
namespace {

/// "unit NAME", "cgroup PATH" or "none", with marks for what else is said.
std::string place(const std::string& path)
{
    const Place got = stable_place(path);
    EXPECT_EQ(got.why_not.empty(), !got.unit.empty() || !got.cgroup.empty()) << path;
    EXPECT_TRUE(got.unit.empty() || got.cgroup.empty()) << path;
    EXPECT_EQ(got.is_pattern, got.unit.find('*') != std::string::npos) << path;
    std::string out = !got.unit.empty() ? "unit " + got.unit : !got.cgroup.empty() ? "cgroup " + got.cgroup : "none";
    out += got.is_runner ? ", runner" : "";
    out += got.runtime.empty() ? "" : ", " + got.runtime;
    return out + (got.login_slice.empty() ? "" : ", login " + got.login_slice);
}

TEST(StablePlace, IsTheUnit)
{
    EXPECT_EQ(place("/system.slice/cloud-init.service"), "unit cloud-init.service");
    EXPECT_EQ(place("/system.slice/a.service/sub/deeper"), "unit a.service");
    EXPECT_EQ(place("/init.scope"), "unit init.scope");
    EXPECT_EQ(place("/system.slice/system-postgresql.slice/postgresql@15-main.service"),
              "unit postgresql@15-main.service");
    EXPECT_EQ(place("/system.slice/system-policy\\x2droutes.slice/policy-routes@ens5.service"),
              "unit policy-routes@ens5.service");
    EXPECT_EQ(place("/system.slice/dbus.socket"), "unit dbus.socket");
}

TEST(StablePlace, KnowsWhoRunsForOthers)
{
    EXPECT_EQ(place("/system.slice/cron.service"), "unit cron.service, runner");
    EXPECT_EQ(place("/system.slice/amazon-ssm-agent.service"), "unit amazon-ssm-agent.service, runner");
    EXPECT_EQ(place("/system.slice/snap.amazon-ssm-agent.amazon-ssm-agent.service"),
              "unit snap.amazon-ssm-agent.amazon-ssm-agent.service, runner");
    EXPECT_EQ(place("/system.slice/system-getty.slice/getty@tty1.service"), "unit getty@tty1.service, runner");
    EXPECT_EQ(place("/system.slice/cronos.service"), "unit cronos.service");
}

TEST(StablePlace, IsNotWhatIsGoneTomorrow)
{
    EXPECT_EQ(place("/system.slice/run-r0123abcd.scope"), "none");
    EXPECT_EQ(place("/system.slice/run-u17.service"), "none");
    EXPECT_EQ(place("/system.slice/backup-4711.service"), "none");
    EXPECT_EQ(place("/system.slice/job-6f9c2d1e.service"), "none");
    EXPECT_EQ(place("/system.slice/dbus-:1.3-org.example@0.service"), "none");
    EXPECT_EQ(place("/system.slice/x.scope"), "none");
    EXPECT_EQ(place("/user.slice/user-1000.slice/session-3.scope"), "none, login user-1000.slice");
}

TEST(StablePlace, InstancesByNumberAreOnePattern)
{
    EXPECT_EQ(place("/system.slice/system-sshd.slice/sshd@4-10.0.0.5:22-10.0.0.9:50022.service"),
              "unit sshd@*.service, runner");
    EXPECT_EQ(place("/system.slice/system-helper.slice/helper@12-4711-0.service"), "unit helper@*.service");
}

TEST(StablePlace, NothingThatAUserNames)
{
    EXPECT_EQ(place("/user.slice/user-1000.slice/user@1000.service/app.slice/cloud-init.service"),
              "none, login user-1000.slice");
    EXPECT_EQ(place("/user.slice/user-1000.slice/user@1000.service"), "none, login user-1000.slice");
    EXPECT_EQ(place("/user.slice/user-x.slice/session-3.scope"), "none");
    EXPECT_EQ(place("/a/user-1000.slice/b"), "cgroup /a");
}

TEST(StablePlace, ContainersByRuntime)
{
    const std::string id(64, 'a');
    const std::string id1 = "1" + id.substr(1);
    EXPECT_EQ(place("/system.slice/docker-" + id1 + ".scope"), "unit docker-*.scope, docker");
    EXPECT_EQ(place("/machine.slice/libpod-" + id1 + ".scope/container"), "unit libpod-*.scope, podman");
    EXPECT_EQ(place("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-" + id1 +
                    ".scope"),
              "unit kubepods.slice, kubernetes");
    EXPECT_EQ(place("/kubelet.slice/kubelet-kubepods.slice/x.slice/cri-containerd-" + id1 + ".scope"),
              "unit kubelet-kubepods.slice, kubernetes");
    EXPECT_EQ(place("/docker/" + id1), "cgroup /docker, docker");
    EXPECT_EQ(place("/kubepods/burstable/pod1/" + id1), "cgroup /kubepods, kubernetes");
    EXPECT_EQ(place("/ecs/0123456789abcdef/" + id1), "cgroup /ecs, ecs");
    EXPECT_EQ(place("/system.slice/docker-proxy.scope"), "none");
}

TEST(StablePlace, OnlyWhatARuleCanSpell)
{
    EXPECT_EQ(place("/system.slice/a*.service"), "none");
    EXPECT_EQ(place("/system.slice/a\n.service"), "none");
    EXPECT_EQ(place("/system.slice/a\".service"), "unit a\".service");
    EXPECT_EQ(place("/system.slice/" + std::string(130, 'x') + ".service"), "none");
    EXPECT_EQ(place("/system.slice/a\xff.service"), "none");
    EXPECT_EQ(place("/x\n"), "none");
    EXPECT_EQ(place("/system.slice/@1.service"), "none");
    EXPECT_EQ(place("/system.slice"), "none");
}

TEST(StablePlace, IsNotGuessed)
{
    EXPECT_EQ(place(""), "none");
    EXPECT_EQ(place("/"), "none");
    EXPECT_EQ(place(".../a.service"), "none");
}

} // namespace
} // namespace hostward::guard
