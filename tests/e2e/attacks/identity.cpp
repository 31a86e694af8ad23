// SPDX-License-Identifier: Apache-2.0
#include "identity.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace attack {

namespace {

void write_file(const char* path, const std::string& text)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        cannot_try(path, errno);
    }
    (void)close(fd);
}

} // namespace

void drop_to_nobody()
{
    if (setgroups(0, nullptr) != 0 || setresgid(kNobody, kNobody, kNobody) != 0 ||
        setresuid(kNobody, kNobody, kNobody) != 0) {
        cannot_try("become nobody", errno);
    }
}

void enter_user_namespace(int more_flags)
{
    const std::string uid_map = "0 " + std::to_string(getuid()) + " 1";
    const std::string gid_map = "0 " + std::to_string(getgid()) + " 1";
    if (unshare(CLONE_NEWUSER | more_flags) != 0) {
        cannot_try("unshare(CLONE_NEWUSER)", errno);
    }
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/gid_map", gid_map);
    write_file("/proc/self/uid_map", uid_map);
}

void make_mounts_private()
{
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
        cannot_try("mount(MS_PRIVATE)", errno);
    }
}

void copy_into(const char* from, int to)
{
    const int source = open(from, O_RDONLY | O_CLOEXEC);
    if (source < 0) {
        cannot_try(from, errno);
    }
    std::array<char, 65536> buffer{};
    for (;;) {
        const ssize_t size = read(source, buffer.data(), buffer.size());
        if (size == 0) {
            break;
        }
        if (size < 0 || write(to, buffer.data(), static_cast<std::size_t>(size)) != size) {
            cannot_try("copy a program", errno);
        }
    }
    (void)close(source);
}

void copy_program(const char* from, const char* to)
{
    const int target = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    if (target < 0 || fchmod(target, 0755) != 0) {
        cannot_try(to, errno);
    }
    copy_into(from, target);
    (void)close(target);
}

void run_program(const char* path, const char* name, const char* address)
{
    const Stopwatch watch;
    std::array<char*, 3> arguments{const_cast<char*>(name), const_cast<char*>(address), nullptr}; // execv's signature
    (void)std::fflush(stdout);
    (void)execv(path, arguments.data());
    const int error = errno;
    if (error == EPERM || error == EACCES) {
        refused("execv", error, watch);
    }
    cannot_try("execv", error);
}

void exit_like(pid_t child)
{
    int status = 0;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
        cannot_try("the child did not exit", ECHILD);
    }
    std::exit(WEXITSTATUS(status));
}

} // namespace attack
