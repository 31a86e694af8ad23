// SPDX-License-Identifier: Apache-2.0
// cgroup_move join|clone|make CGROUP ADDRESS: tries to get into the cgroup CGROUP (its folder) and connects,
// wherever it then is.
//   join    writes itself to cgroup.procs
//   clone   clone3 with CLONE_INTO_CGROUP
//   make    makes the folders below a cgroup that was delegated to it, then joins
#include "attack.h"
#include "identity.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>

namespace {

constexpr auto kUsageText = "cgroup_move join|clone|make CGROUP ADDRESS";

void print_move(const char* how, int error)
{
    std::printf("%s: %s\n", how, error == 0 ? "moved" : strerrorname_np(error));
    (void)std::fflush(stdout);
}

void join(const std::string& cgroup)
{
    const int fd = open((cgroup + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
    const bool is_moved = fd >= 0 && write(fd, "0", 1) == 1;
    print_move("cgroup.procs", is_moved ? 0 : errno);
    (void)close(fd);
}

[[noreturn]] void attack_from_here(const char* address)
{
    const attack::Target target = attack::require_target(address);
    const attack::Stopwatch watch;
    const int fd = attack::make_socket(target.family(), SOCK_STREAM, 0, watch);
    attack::set_deadline(fd);
    if (connect(fd, target.raw(), target.size) != 0) {
        attack::refused("connect", errno, watch);
    }
    attack::exchange(fd, "after the move", watch);
}

/// Born in the cgroup, if the kernel lets us; otherwise attacks from where we are.
[[noreturn]] void clone_into(const std::string& cgroup, const char* address)
{
    const int folder = open(cgroup.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    clone_args arguments{};
    arguments.flags = CLONE_INTO_CGROUP;
    arguments.exit_signal = SIGCHLD;
    arguments.cgroup = static_cast<__u64>(folder);
    const auto child = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof(arguments)));
    if (child < 0) {
        print_move("CLONE_INTO_CGROUP", errno);
    }
    if (child <= 0) {
        attack_from_here(address);
    }
    attack::exit_like(child);
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 4) {
        attack::usage(kUsageText);
    }
    const std::string way = argv[1];
    if (way == "clone") {
        clone_into(argv[2], argv[3]);
    }
    if (way == "make") {
        std::error_code status;
        std::filesystem::create_directories(argv[2], status);
        print_move("mkdir", status.value());
    }
    if (way == "make" || way == "join") {
        join(argv[2]);
        attack_from_here(argv[3]);
    }
    attack::usage(kUsageText);
}
