// SPDX-License-Identifier: Apache-2.0
// Valgrind 3.19 (Debian 12) does not know openat2(2), through which hostward opens every file of a host. The fixture
// has no symbolic links, so here openat(2) below the same descriptor opens the same files.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdint>

namespace {

long kernel(long number, const long (&arguments)[6])
{
    long result = 0;
    register long fourth asm("r10") = arguments[3];
    register long fifth asm("r8") = arguments[4];
    register long sixth asm("r9") = arguments[5];
    asm volatile("syscall"
                 : "=a"(result)
                 : "a"(number), "D"(arguments[0]), "S"(arguments[1]), "d"(arguments[2]), "r"(fourth), "r"(fifth),
                   "r"(sixth)
                 : "rcx", "r11", "memory");
    return result;
}

template <typename T> T* pointer(long value)
{
    return reinterpret_cast<T*>(static_cast<std::uintptr_t>(value)); // NOLINT(performance-no-int-to-ptr): as the kernel
}

long opened(const long (&arguments)[6])
{
    const auto* how = pointer<const open_how>(arguments[2]);
    const auto* path = pointer<const char>(arguments[1]);
    while (*path == '/') {
        ++path; // RESOLVE_IN_ROOT: of the descriptor's root
    }
    const char* name = *path == '\0' ? "." : path;
    return kernel(SYS_openat, {arguments[0], reinterpret_cast<long>(name), static_cast<long>(how->flags),
                               static_cast<long>(how->mode), 0, 0});
}

} // namespace

/// Stands before glibc's.
extern "C" long syscall(long number, ...) noexcept
{
    va_list list;
    va_start(list, number);
    long arguments[6] = {};
    for (auto& one : arguments) {
        one = va_arg(list, long);
    }
    va_end(list);
    const long result = number == SYS_openat2 ? opened(arguments) : kernel(number, arguments);
    constexpr long kErrnoMax = 4095;
    if (result < 0 && result >= -kErrnoMax) {
        errno = static_cast<int>(-result);
        return -1;
    }
    return result;
}
