// SPDX-License-Identifier: Apache-2.0
// Rows that pretend to be somebody whom the policy names.
#include "tests/e2e/suite/identity_fixture.h"

#include <unistd.h>

#include <filesystem>

namespace hostward::e2e {
namespace {

constexpr auto kDefaultUser = uid_t{1000};

class IdentityAttacks : public IdentityTest {};

Row row(std::string id, std::string policy, std::vector<Attempt> attempts, Attempt control)
{
    return {std::move(id), std::move(policy), std::move(attempts), std::move(control), {}};
}

TEST_F(IdentityAttacks, SetuidHelper)
{
    const std::string helper = std::string(kScratch) + "/setuid-helper";
    ASSERT_NO_FATAL_FAILURE(install_program(helper, "tcp", kRoot, 04755));
    Launch launch = site().attack({"tcp", kImds4});
    launch.argv[0] = helper;
    Launch control = site().attack({"tcp", kImds4});
    control.who = root();
    check_row(
        row("setuid-helper", rule("user = [\"0\"]"), {attempt("set-user-id root", launch)}, attempt("root", control)));
}

TEST_F(IdentityAttacks, ExeBindMount)
{
    check_row(row("exe-bind-mount", exe_policy(), {spoof("bind-mount", root())}, allowed_program()));
}

TEST_F(IdentityAttacks, ExeMountNamespace)
{
    check_row(row("exe-mount-namespace", exe_policy(), {spoof("mount-namespace", root())}, allowed_program()));
}

TEST_F(IdentityAttacks, ExeUserNamespace)
{
    check_row(
        row("exe-user-namespace", exe_policy(),
            {spoof("user-namespace", nobody()), attempt(site().attack({"exe_file", "namespace", kAllowed, kImds4})),
             attempt(site().attack({"exe_file", "shared", kAllowed, kImds4}))},
            allowed_program()));
}

TEST_F(IdentityAttacks, ExeSymlink)
{
    check_row(row("exe-symlink", exe_policy(), {spoof("symlink", nobody())}, allowed_program()));
}

TEST_F(IdentityAttacks, ExeChroot)
{
    check_row(row("exe-chroot", exe_policy(), {spoof("chroot", root())}, allowed_program()));
}

TEST_F(IdentityAttacks, ExeMemfd)
{
    check_row(row("exe-memfd", exe_policy(), {attempt(site().attack({"exe_memory", "memfd", kAllowed, kImds4}))},
                  allowed_program()));
}

TEST_F(IdentityAttacks, ExeDeleted)
{
    // Whom the policy named, until its file lost its last name.
    const std::string doomed = std::string(kTrusted) + "/doomed";
    Attempt deleted{"the allowed program after its deletion",
                    [&]() -> Result<Outcome> {
                        Launch launch = site().attack({"tcp", "--wait", kImds4});
                        launch.argv[0] = doomed;
                        TRY_ASSIGN(Child child, Child::start(launch));
                        TRY_ASSIGN(const std::string ready, child.await_line("ready", launch.timeout));
                        if (unlink(doomed.c_str()) != 0) {
                            return system_error(errno, doomed);
                        }
                        TRY(child.write("go\n"));
                        return child.finish(launch.timeout);
                    },
                    [&] { return copy_program(doomed, "tcp", kRoot, 0755); }};
    const std::string policy = rule("exe = [\"" + std::string(kAllowed) + "\", \"" + doomed + "\"]");
    check_row(row("exe-deleted", policy,
                  {attempt(site().attack({"exe_memory", "deleted", kAllowed, kScratch, kImds4})), deleted},
                  allowed_program()));
}

TEST_F(IdentityAttacks, ExeInodeReuse)
{
    const Status mounted = mount_ext4();
    if (!mounted) {
        std::printf("[ROW] id=exe-inode-reuse result=skipped why=%s\n", mounted.error().text.c_str());
        GTEST_SKIP() << "no file system that reuses inode numbers: " << mounted.error().text;
    }
    const std::string doomed = std::string(kExt4) + "/trusted/doomed";
    Attempt reuse{
        "a file with the allowed program's inode number",
        [&]() -> Result<Outcome> {
            TRY_ASSIGN(const std::string inode, inode_of(doomed));
            if (unlink(doomed.c_str()) != 0) {
                return system_error(errno, doomed);
            }
            return run(site().attack(
                {"exe_memory", "reuse", attack_path("tcp"), std::string(kExt4) + "/scratch", inode, kImds4}));
        },
        [&]() -> Status {
            TRY(empty_folder(std::string(kExt4) + "/scratch"));
            return copy_program(doomed, "tcp", kRoot, 0755);
        },
    };
    const std::string policy = rule("exe = [\"" + std::string(kAllowed) + "\", \"" + doomed + "\"]");
    check_row(row("exe-inode-reuse", policy, {reuse}, allowed_program()));
}

TEST_F(IdentityAttacks, ContainerRoot)
{
    const std::string network = Network::path_of(site().network.container());
    std::vector<Attempt> attempts;
    for (const char* way : {"pid", "net", "cgroup", "all", "user"}) {
        Launch launch = site().attack({"container", way, network, attack_path("tcp"), kImds4});
        launch.who = std::string_view(way) == "user" ? nobody() : root();
        attempts.push_back(attempt(std::string("own ") + way, launch));
    }
    // A privileged pod that shares every namespace that tells: its cgroup is still a pod's.
    const auto pod = site().cgroups.make("kubepods/besteffort/pod0a1b/" + std::string(64, 'a'));
    ASSERT_TRUE(pod) << pod.error().text;
    Launch privileged = site().attack({"tcp", kImds4});
    privileged.who = root();
    privileged.cgroup = *pod;
    attempts.push_back(attempt("no namespace of its own", privileged));
    Launch control = site().attack({"tcp", kImds4});
    control.who = root();
    check_row(row("container-root", rule("user = [\"0\"]"), std::move(attempts), attempt("root", control)));
}

TEST_F(IdentityAttacks, CgroupMove)
{
    const auto own = delegated_to_nobody();
    ASSERT_TRUE(own) << own.error().text;
    std::vector<Attempt> attempts{attempt(site().attack({"cgroup_move", "join", site().allowed, kImds4})),
                                  attempt(site().attack({"cgroup_move", "clone", site().allowed, kImds4}))};
    for (const char* below : {"/allowed.service", "/system.slice/allowed.service"}) {
        Launch launch = site().attack({"cgroup_move", "make", *own + below, kImds4});
        launch.cgroup = *own + "/init.scope";
        attempts.push_back(attempt(std::string("delegated") + below, launch));
    }
    attempts.push_back({"moved out of the allowed unit",
                        [] {
                            return after_start(site().as_allowed({"tcp", "--wait", kImds4}),
                                               [](Child& child) { return move_to(child.pid(), site().outside); });
                        },
                        {}});
    check_row(row("cgroup-move", rule("unit = [\"allowed.service\"]"), std::move(attempts), allowed_unit()));
}

TEST_F(IdentityAttacks, ExecRace)
{
    const std::string rounds = std::to_string(surroundings().scaled(150, 20));
    std::vector<Attempt> attempts;
    for (const char* way : {"threads", "vfork"}) {
        Launch launch = site().attack({"exec_race", way, rounds, kAllowed, kImds4});
        launch.timeout = Milliseconds(60'000);
        attempts.push_back(attempt(launch));
    }
    check_row(row("exec-race", exe_policy(), std::move(attempts), allowed_program()));
}

TEST_F(IdentityAttacks, Ptrace)
{
    std::vector<Attempt> attempts;
    for (const char* way : {"traceme", "attach", "mem"}) {
        attempts.push_back(attempt(site().attack({"ptrace", way, kAllowed, kImds4})));
    }
    check_row(row("ptrace", exe_policy(), std::move(attempts), allowed_program()));
}

TEST_F(IdentityAttacks, OldConnection)
{
    std::vector<Attempt> attempts;
    for (const auto& [protocol, address] :
         {std::pair{"tcp", kImds4}, {"tcp", kImds6}, {"udp", kImds4}, {"udp", kImds6}}) {
        attempts.push_back(held(site().attack({"held", protocol, address})));
    }
    check_row(row("old-connection", kOnlyAllowedUnit, std::move(attempts), allowed_unit()));
}

TEST_F(IdentityAttacks, PassedDescriptor)
{
    Launch giver = site().attack({"fd_pass", "give", "connected", kImds4, ""});
    Launch taker = site().attack({"fd_pass", "take", "connected", kImds4, ""});
    Launch allowed_giver = giver;
    allowed_giver.who = user(kDefaultUser);
    allowed_giver.cgroup = site().allowed;
    Launch other_taker = taker;
    other_taker.who = user(kDefaultUser);
    Launch unconnected_giver = allowed_giver;
    unconnected_giver.argv[2] = "unconnected";
    Launch connecting_taker = taker;
    connecting_taker.argv[2] = "unconnected";
    check_row(row("passed-descriptor", rule("unit = [\"allowed.service\"]"),
                  {older_passed("nobody's older connection to another user", giver, other_taker),
                   passed("an allowed unconnected socket to nobody", unconnected_giver, connecting_taker),
                   passed("an allowed connection to nobody", allowed_giver, taker),
                   stolen("an allowed connection by pidfd_getfd", allowed_giver, other_taker)},
                  allowed_unit()));
}

} // namespace
} // namespace hostward::e2e
