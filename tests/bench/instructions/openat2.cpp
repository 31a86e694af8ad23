// SPDX-License-Identifier: Apache-2.0
// Valgrind 3.19 (Debian 12) does not know openat2(2), through which hostward opens every file of a host. The fixture
// has no symbolic links, so here openat(2) below the same descriptor opens the same files.
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdarg>

namespace {

using Syscall = long (*)(long number, ...);

long opened(int directory, const char* path, const open_how& how)
{
    while (*path == '/') {
        ++path; // RESOLVE_IN_ROOT: of the descriptor's root
    }
    return ::openat(directory, *path == '\0' ? "." : path, static_cast<int>(how.flags), static_cast<mode_t>(how.mode));
}

} // namespace

/// Stands before glibc's.
extern "C" long syscall(long number, ...) noexcept
{
    static const auto glibc = reinterpret_cast<Syscall>(::dlsym(RTLD_NEXT, "syscall"));
    va_list list;
    va_start(list, number);
    long arguments[6] = {};
    for (auto& one : arguments) {
        one = va_arg(list, long); // also those that the caller did not give: as glibc
    }
    va_end(list);
    if (number == SYS_openat2) {
        return opened(static_cast<int>(arguments[0]),
                      reinterpret_cast<const char*>(arguments[1]),       // NOLINT: as the kernel
                      *reinterpret_cast<const open_how*>(arguments[2])); // NOLINT
    }
    return glibc(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}
