// SPDX-License-Identifier: Apache-2.0
#include "inject.h"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

namespace attack {

namespace {

constexpr std::uint64_t kScratchBelowStack = 16384;
constexpr std::size_t kWord = sizeof(long);

#if defined(__x86_64__)
using Registers = user_regs_struct;
constexpr std::array<unsigned char, 8> kCallAndStop{0x0f, 0x05, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc}; // syscall; int3
std::uint64_t program_counter(const Registers& registers) { return registers.rip; }
std::uint64_t stack_pointer(const Registers& registers) { return registers.rsp; }
std::int64_t call_result(const Registers& registers) { return std::bit_cast<std::int64_t>(registers.rax); }
void set_call(Registers& registers, std::uint64_t code, std::int64_t number,
              const std::array<std::uint64_t, 4>& arguments)
{
    registers.rip = code;
    registers.rax = std::bit_cast<std::uint64_t>(number);
    registers.orig_rax = ~0ULL; // the interrupted call is not to be restarted
    registers.rdi = arguments[0];
    registers.rsi = arguments[1];
    registers.rdx = arguments[2];
    registers.r10 = arguments[3];
}
constexpr bool kSupported = true;
#elif defined(__aarch64__)
using Registers = user_regs_struct;
constexpr std::array<unsigned char, 8> kCallAndStop{0x01, 0x00, 0x00, 0xd4, 0x00, 0x00, 0x20, 0xd4}; // svc 0; brk 0
std::uint64_t program_counter(const Registers& registers) { return registers.pc; }
std::uint64_t stack_pointer(const Registers& registers) { return registers.sp; }
std::int64_t call_result(const Registers& registers) { return std::bit_cast<std::int64_t>(registers.regs[0]); }
void set_call(Registers& registers, std::uint64_t code, std::int64_t number,
              const std::array<std::uint64_t, 4>& arguments)
{
    registers.pc = code;
    registers.regs[8] = std::bit_cast<std::uint64_t>(number);
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        registers.regs[i] = arguments[i];
    }
}
constexpr bool kSupported = true;
#else
struct Registers {};
constexpr std::array<unsigned char, 8> kCallAndStop{};
std::uint64_t program_counter(const Registers&) { return 0; }
std::uint64_t stack_pointer(const Registers&) { return 0; }
std::int64_t call_result(const Registers&) { return -ENOSYS; }
void set_call(Registers&, std::uint64_t, std::int64_t, const std::array<std::uint64_t, 4>&) {}
constexpr bool kSupported = false;
#endif

bool get_registers(pid_t pid, Registers& registers)
{
    iovec part{&registers, sizeof(registers)};
    return ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &part) == 0;
}

bool set_registers(pid_t pid, Registers& registers)
{
    iovec part{&registers, sizeof(registers)};
    return ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &part) == 0;
}

} // namespace

std::optional<Puppet> Puppet::take(pid_t pid)
{
    Registers registers{};
    if (!kSupported || !get_registers(pid, registers)) {
        return std::nullopt;
    }
    const std::uint64_t code = program_counter(registers) & ~std::uint64_t{kWord - 1};
    const std::uint64_t scratch = (stack_pointer(registers) - kScratchBelowStack) & ~std::uint64_t{15};
    const Puppet puppet(pid, code, scratch);
    puppet.write(code, kCallAndStop);
    return puppet;
}

std::int64_t Puppet::call(std::int64_t number, std::array<std::uint64_t, 4> arguments) const
{
    Registers registers{};
    if (!get_registers(pid_, registers)) {
        return -errno;
    }
    set_call(registers, code_, number, arguments);
    int status = 0;
    if (!set_registers(pid_, registers) || ptrace(PTRACE_CONT, pid_, 0, 0) != 0 || waitpid(pid_, &status, 0) != pid_) {
        return -errno;
    }
    if (!WIFSTOPPED(status) || !get_registers(pid_, registers)) {
        return -ESRCH; // it died of it
    }
    return call_result(registers);
}

void Puppet::write(std::uint64_t address, std::span<const unsigned char> bytes) const
{
    for (std::size_t at = 0; at < bytes.size(); at += kWord) {
        long word = 0;
        const auto part = bytes.subspan(at, std::min(kWord, bytes.size() - at));
        std::memcpy(&word, part.data(), part.size());
        (void)ptrace(PTRACE_POKETEXT, pid_, address + at, word); // a failure shows in the call
    }
}

void Puppet::read(std::uint64_t address, std::span<unsigned char> bytes) const
{
    for (std::size_t at = 0; at < bytes.size(); at += kWord) {
        const long word = ptrace(PTRACE_PEEKTEXT, pid_, address + at, 0);
        const auto part = bytes.subspan(at, std::min(kWord, bytes.size() - at));
        std::memcpy(part.data(), &word, part.size());
    }
}

} // namespace attack
