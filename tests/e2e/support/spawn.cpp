// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/spawn.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace hostward::e2e {

namespace {

constexpr int kSetupFailed = 126;
constexpr unsigned int kCapabilityWords = 2;

[[noreturn]] void give_up(const char* step)
{
    const int error = errno;
    (void)dprintf(STDERR_FILENO, "start: %s: %s\n", step, std::strerror(error));
    _exit(kSetupFailed);
}

void require(bool is_done, const char* step)
{
    if (!is_done) {
        give_up(step);
    }
}

void join_cgroup(const std::string& folder)
{
    const int fd = open((folder + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
    require(fd >= 0 && ::write(fd, "0", 1) == 1, folder.c_str());
    (void)close(fd);
}

/// Exactly these capabilities, kept over exec as ambient ones.
void keep_capabilities(std::uint64_t bits)
{
    __user_cap_header_struct header{};
    header.version = _LINUX_CAPABILITY_VERSION_3;
    std::array<__user_cap_data_struct, kCapabilityWords> sets{};
    for (unsigned int word = 0; word < kCapabilityWords; ++word) {
        const auto part = static_cast<std::uint32_t>(bits >> (32 * word));
        sets.at(word) = {part, part, part};
    }
    require(syscall(SYS_capset, &header, sets.data()) == 0, "capset");
    for (unsigned int number = 0; number < 64; ++number) {
        if (((bits >> number) & 1U) != 0) {
            require(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) == 0, "ambient capability");
        }
    }
}

void become(const Identity& who)
{
    if (who.uid == kRoot && who.gid == 0 && who.groups.empty()) {
        return;
    }
    require(prctl(PR_SET_KEEPCAPS, who.capabilities != 0 ? 1 : 0, 0, 0, 0) == 0, "keep capabilities");
    require(setgroups(who.groups.size(), who.groups.data()) == 0, "setgroups");
    require(setresgid(who.gid, who.gid, who.gid) == 0, "setresgid");
    require(setresuid(who.uid, who.uid, who.uid) == 0, "setresuid");
    if (who.capabilities != 0) {
        keep_capabilities(who.capabilities);
    }
}

[[noreturn]] void become_program(const Launch& launch, const Streams& streams, pid_t parent, bool is_in_cgroup)
{
    (void)setpgid(0, 0); // cannot fail for a new child
    require(dup2(streams.input, STDIN_FILENO) >= 0 && dup2(streams.out, STDOUT_FILENO) >= 0 &&
                dup2(streams.err, STDERR_FILENO) >= 0,
            "dup2");
    if (!is_in_cgroup && !launch.cgroup.empty()) {
        join_cgroup(launch.cgroup);
    }
    if (launch.network >= 0) {
        require(setns(launch.network, CLONE_NEWNET) == 0, "setns");
    }
    become(launch.who);
    // After the change of user, which clears it. A parent that died before is seen by its pid.
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    require(getppid() == parent && chdir("/") == 0, "parent");
    std::vector<char*> arguments;
    for (const std::string& argument : launch.argv) {
        arguments.push_back(const_cast<char*>(argument.c_str())); // execv's signature
    }
    arguments.push_back(nullptr);
    (void)execv(arguments[0], arguments.data());
    give_up(arguments[0]);
}

/// The child's pid, 0 in the child, or -1.
pid_t fork_into_cgroup(const std::string& folder)
{
    const UniqueFd cgroup(open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    clone_args arguments{};
    arguments.flags = CLONE_INTO_CGROUP;
    arguments.exit_signal = SIGCHLD;
    arguments.cgroup = static_cast<__u64>(cgroup.get());
    return static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof(arguments)));
}

} // namespace

Result<pid_t> spawn(const Launch& launch, const Streams& streams)
{
    const pid_t parent = getpid();
    bool is_in_cgroup = false;
    pid_t child = -1;
    if (launch.is_born_in_cgroup) {
        child = fork_into_cgroup(launch.cgroup);
        is_in_cgroup = child >= 0;
    }
    if (child < 0) {
        child = fork(); // a kernel without CLONE_INTO_CGROUP: it joins before exec
    }
    if (child < 0) {
        return system_error(errno, "fork");
    }
    if (child == 0) {
        become_program(launch, streams, parent, is_in_cgroup);
    }
    (void)setpgid(child, child); // by both sides, so that it holds whoever comes first
    return child;
}

} // namespace hostward::e2e
