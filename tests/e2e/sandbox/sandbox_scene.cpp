// SPDX-License-Identifier: Apache-2.0
// What the test of the sandbox needs from the kernel:
//   sandbox_scene try PROGRAM CALL [log]   enters the filter of PROGRAM, makes CALL and prints its errno, 0 for success
//   sandbox_scene inject PID NUMBER        makes the running process PID enter system call NUMBER instead of its next
//   one
// Every CALL is one that fails or does no harm where no filter is.
#include "agent/base/text.h"
#include "agent/sandbox/seccomp.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <elf.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <string_view>
#include <thread>

namespace {

using namespace hostward;

long call(long number, long a = 0, long b = 0, long c = 0, long d = 0) { return ::syscall(number, a, b, c, d, 0L, 0L); }

struct Attempt {
    std::string_view name;
    std::function<long()> make;
};

constexpr long kNobody = -1; ///< no process, no descriptor, no flags: fails where it is not prevented

const std::array kAttempts{
    Attempt{"ptrace", [] { return call(SYS_ptrace, PTRACE_ATTACH, 0); }},
    Attempt{"process_vm_readv", [] { return call(SYS_process_vm_readv, 0, 0, 0, 0); }},
    Attempt{"kexec_load", [] { return call(SYS_kexec_load, 0, 17, 0, kNobody); }},
    Attempt{"init_module", [] { return call(SYS_init_module, 0, 0, 0); }},
    Attempt{"mount", [] { return call(SYS_mount, 0, 0, 0, 0); }},
    Attempt{"setns", [] { return call(SYS_setns, kNobody, 0); }},
    Attempt{"keyctl", [] { return call(SYS_keyctl, KEYCTL_DESCRIBE, 0, 0, 0); }},
    Attempt{"io_uring_setup", [] { return call(SYS_io_uring_setup, 0, 0); }},
    Attempt{"userfaultfd", [] { return call(SYS_userfaultfd, kNobody); }},
    Attempt{"perf_event_open", [] { return call(SYS_perf_event_open, 0, kNobody, kNobody, kNobody); }},
    Attempt{"open_by_handle_at", [] { return call(SYS_open_by_handle_at, kNobody, 0, 0); }},
    Attempt{"reboot", [] { return call(SYS_reboot, 0, 0, 0); }},
    Attempt{"settimeofday", [] { return call(SYS_settimeofday, 0, 1); }},
    Attempt{"unshare", [] { return call(SYS_unshare, kNobody); }},
    Attempt{"clone-newuser", [] { return call(SYS_clone, CLONE_NEWUSER | CLONE_THREAD); }}, // without CLONE_SIGHAND
    Attempt{"clone3", [] { return call(SYS_clone3, 0, 0); }},
    Attempt{"execve", [] { return call(SYS_execve, 0, 0, 0); }},
    Attempt{"bpf-load", [] { return call(SYS_bpf, BPF_PROG_LOAD, 0, 0); }},
    Attempt{"bpf-look", [] { return call(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, 0, 0); }},
    Attempt{"socket-inet", [] { return static_cast<long>(::socket(AF_INET, SOCK_STREAM, 0)); }},
    Attempt{"socket-unix", [] { return static_cast<long>(::socket(AF_UNIX, SOCK_STREAM, 0)); }},
    Attempt{"socket-bluetooth", [] { return static_cast<long>(::socket(AF_BLUETOOTH, SOCK_RAW, 0)); }},
    Attempt{"listen", [] { return call(SYS_listen, kNobody, 0); }},
    Attempt{"mmap-wx",
            [] {
                void* memory = ::mmap(nullptr, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                return memory == MAP_FAILED ? -1L : 0L;
            }},
    Attempt{"mprotect-exec",
            [] {
                void* memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                return static_cast<long>(::mprotect(memory, 4096, PROT_READ | PROT_EXEC));
            }},
    Attempt{"prctl-dumpable", [] { return call(SYS_prctl, PR_SET_DUMPABLE, 1); }},
    Attempt{"thread", // what a thread does is the process's deed
            [] {
                std::thread([] { (void)call(SYS_ptrace, PTRACE_ATTACH, 0); }).join();
                return 0L;
            }},
    Attempt{"read", [] { return static_cast<long>(::open("/proc/self/status", O_RDONLY | O_CLOEXEC)); }},
#ifdef __x86_64__
    Attempt{"x32", [] { return call(0x40000000L | SYS_getpid); }},
    Attempt{"i386",
            [] {
                long result = 20; // getpid there
                asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
                return result < 0 ? -1L : 0L;
            }},
#endif
};

int try_call(std::string_view program, std::string_view wanted, sandbox::Enforcement enforcement)
{
    for (const auto candidate : sandbox::kPrograms) {
        if (sandbox::name_of(candidate) != program) {
            continue;
        }
        for (const auto& attempt : kAttempts) {
            if (attempt.name != wanted) {
                continue;
            }
            if (const Status status = sandbox::confine(candidate, enforcement); !status) {
                std::fprintf(stderr, "%s\n", status.error().text.c_str());
                return 2;
            }
            errno = 0;
            const long result = attempt.make();
            std::printf("%d\n", result < 0 ? errno : 0);
            return 0;
        }
    }
    std::fprintf(stderr, "unknown program or call\n");
    return 2;
}

bool set_number(pid_t pid, long number)
{
#ifdef __x86_64__
    user_regs_struct registers{};
    if (::ptrace(PTRACE_GETREGS, pid, nullptr, &registers) != 0) {
        return false;
    }
    registers.orig_rax = static_cast<unsigned long long>(number);
    return ::ptrace(PTRACE_SETREGS, pid, nullptr, &registers) == 0;
#else
    constexpr int kSystemCall = 0x404; // NT_ARM_SYSTEM_CALL
    int value = static_cast<int>(number);
    iovec memory{&value, sizeof(value)};
    return ::ptrace(PTRACE_SETREGSET, pid, kSystemCall, &memory) == 0;
#endif
}

/// At the entry of its next call the process is given another number: the kernel asks the filter after the tracer.
int inject(pid_t pid, long number)
{
    int status = 0;
    if (::ptrace(PTRACE_SEIZE, pid, nullptr, PTRACE_O_TRACESYSGOOD) != 0 ||
        ::ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr) != 0 || ::waitpid(pid, &status, 0) != pid) {
        std::perror("cannot stop the process");
        return 2;
    }
    constexpr int kSystemCallStop = SIGTRAP | 0x80;
    do {
        if (::ptrace(PTRACE_SYSCALL, pid, nullptr, nullptr) != 0 || ::waitpid(pid, &status, 0) != pid ||
            !WIFSTOPPED(status)) {
            std::perror("the process does not get to a system call");
            return 2;
        }
    } while (WSTOPSIG(status) != kSystemCallStop);
    if (!set_number(pid, number) || ::ptrace(PTRACE_DETACH, pid, nullptr, nullptr) != 0) {
        std::perror("cannot change the system call");
        return 2;
    }
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    const std::string_view what = argc > 3 ? argv[1] : "";
    if (what == "try") {
        const bool log = argc > 4 && std::string_view(argv[4]) == "log";
        return try_call(argv[2], argv[3], log ? sandbox::Enforcement::Log : sandbox::Enforcement::Kill);
    }
    const auto pid = what == "inject" ? parse_number<pid_t>(argv[2]) : std::nullopt;
    const auto number = pid ? parse_number<long>(argv[3]) : std::nullopt;
    if (!number) {
        std::fprintf(stderr, "usage: sandbox_scene try PROGRAM CALL [log] | inject PID NUMBER\n");
        return 2;
    }
    return inject(*pid, *number);
}
