// SPDX-License-Identifier: Apache-2.0
// container pid|net|user|cgroup|all NETNS PROGRAM ADDRESS: runs PROGRAM as root of namespaces of its own. NETNS is the
// path of the network namespace of `net` and `all`; `user` needs no privilege.
#include "attack.h"
#include "identity.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace {

void join_network(const char* path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET) != 0) {
        attack::cannot_try("join the network namespace", errno);
    }
    (void)close(fd);
}

/// The next child is process 1 of a pid namespace.
[[noreturn]] void run_in_new_pid_namespace(int more_flags, const char* program, const char* address)
{
    if (unshare(CLONE_NEWPID | more_flags) != 0) {
        attack::cannot_try("unshare(CLONE_NEWPID)", errno);
    }
    const pid_t child = fork();
    if (child < 0) {
        attack::cannot_try("fork", errno);
    }
    if (child == 0) {
        attack::run_program(program, program, address);
    }
    attack::exit_like(child);
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 5) {
        attack::usage("container pid|net|user|cgroup|all NETNS PROGRAM ADDRESS");
    }
    const std::string_view way = argv[1];
    if (way == "pid") {
        run_in_new_pid_namespace(0, argv[3], argv[4]);
    } else if (way == "net") {
        join_network(argv[2]);
        attack::run_program(argv[3], argv[3], argv[4]);
    } else if (way == "user") {
        attack::enter_user_namespace(0);
        attack::run_program(argv[3], argv[3], argv[4]);
    } else if (way == "cgroup") {
        if (unshare(CLONE_NEWCGROUP | CLONE_NEWNS) != 0) {
            attack::cannot_try("unshare(CLONE_NEWCGROUP)", errno);
        }
        attack::run_program(argv[3], argv[3], argv[4]);
    } else if (way == "all") {
        join_network(argv[2]);
        run_in_new_pid_namespace(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP, argv[3], argv[4]);
    }
    attack::usage("container pid|net|user|cgroup|all NETNS PROGRAM ADDRESS");
}
