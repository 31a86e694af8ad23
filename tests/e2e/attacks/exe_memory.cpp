// SPDX-License-Identifier: Apache-2.0
// Programs whose file is not a file with a name:
//   exe_memory memfd SOURCE ADDRESS               the bytes of SOURCE run from a memfd
//   exe_memory deleted SOURCE SCRATCH ADDRESS     a copy of SOURCE run after its last name is gone
//   exe_memory reuse SOURCE SCRATCH INODE ADDRESS files made until one gets the inode number INODE, which then
//                                                 becomes a copy of SOURCE and runs
#include "attack.h"
#include "identity.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

constexpr auto kUsageText = "exe_memory memfd SOURCE ADDRESS | deleted SOURCE SCRATCH ADDRESS | "
                            "reuse SOURCE SCRATCH INODE ADDRESS";
constexpr int kFilesMax = 4096;

[[noreturn]] void run_descriptor(int fd, const char* address)
{
    const attack::Stopwatch watch;
    char name[] = "program";
    char empty[] = "";
    std::array<char*, 3> arguments{name, const_cast<char*>(address), nullptr}; // execveat's signature
    (void)syscall(SYS_execveat, fd, empty, arguments.data(), environ, AT_EMPTY_PATH);
    const int error = errno;
    if (error == EPERM || error == EACCES) {
        attack::refused("execveat", error, watch);
    }
    attack::cannot_try("execveat", error);
}

[[noreturn]] void from_memory(const char* source, const char* address)
{
    const int fd = static_cast<int>(syscall(SYS_memfd_create, "program", MFD_CLOEXEC));
    if (fd < 0) {
        attack::cannot_try("memfd_create", errno);
    }
    attack::copy_into(source, fd);
    run_descriptor(fd, address);
}

[[noreturn]] void from_deleted(const char* source, const char* scratch, const char* address)
{
    const std::string copy = std::string(scratch) + "/deleted";
    attack::copy_program(source, copy.c_str());
    const int fd = open(copy.c_str(), O_PATH | O_CLOEXEC);
    if (fd < 0 || unlink(copy.c_str()) != 0) {
        attack::cannot_try("unlink the running program", errno);
    }
    run_descriptor(fd, address);
}

/// Name of a new file with the wanted inode number; the misses are kept until then, or the number comes again.
std::string file_with_inode(const std::string& scratch, ino_t wanted)
{
    std::string hit;
    int made = 0;
    for (; made < kFilesMax && hit.empty(); ++made) {
        const std::string name = scratch + "/f" + std::to_string(made);
        const int fd = open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
        struct stat facts {};
        if (fd < 0 || fstat(fd, &facts) != 0) {
            attack::cannot_try("create a file", errno);
        }
        (void)close(fd);
        hit = facts.st_ino == wanted ? name : "";
    }
    for (int i = 0; i < made; ++i) {
        const std::string name = scratch + "/f" + std::to_string(i);
        if (name != hit) {
            (void)unlink(name.c_str());
        }
    }
    return hit;
}

[[noreturn]] void from_reused_inode(const char* source, const char* scratch, const char* inode, const char* address)
{
    const std::string name = file_with_inode(scratch, attack::require_number(inode));
    if (name.empty()) {
        attack::cannot_try("this file system does not reuse inode numbers", ENOSPC);
    }
    attack::copy_program(source, name.c_str());
    std::printf("inode %s again\n", inode);
    attack::run_program(name.c_str(), name.c_str(), address);
}

} // namespace

int main(int argc, char** argv)
{
    const std::string way = argc > 1 ? argv[1] : "";
    if (way == "memfd" && argc == 4) {
        from_memory(argv[2], argv[3]);
    }
    if (way == "deleted" && argc == 5) {
        from_deleted(argv[2], argv[3], argv[4]);
    }
    if (way == "reuse" && argc == 6) {
        from_reused_inode(argv[2], argv[3], argv[4], argv[5]);
    }
    attack::usage(kUsageText);
}
