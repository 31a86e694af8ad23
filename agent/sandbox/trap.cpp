// SPDX-License-Identifier: Apache-2.0
#include "agent/sandbox/trap.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace hostward::sandbox {

namespace {

constexpr int kFiltered = 1; ///< SYS_SECCOMP of <asm-generic/siginfo.h>, which the C library's <signal.h> excludes

// A signal handler has no argument of ours: the one mutable global besides the log, written before the filter is there.
struct Known {
    Program program = Program::Config;
    const SyscallNames* names = nullptr;
};
Known known; // NOLINT(*-avoid-non-const-global-variables): see above

/// A line put together without memory of the allocator, which may be what was interrupted.
class Line {
public:
    void add(std::string_view text)
    {
        const auto room = text_.size() - size_;
        const auto taken = text.size() < room ? text.size() : room;
        std::memcpy(&text_[size_], text.data(), taken);
        size_ += taken;
    }
    void add_number(unsigned number)
    {
        std::array<char, 10> digits{};
        std::size_t at = digits.size();
        do {
            digits[--at] = static_cast<char>('0' + number % 10);
            number /= 10;
        } while (number != 0);
        add({&digits[at], digits.size() - at});
    }
    void write() const { (void)!::write(STDERR_FILENO, text_.data(), size_); } // we die of the signal anyway

private:
    std::array<char, 320> text_{};
    std::size_t size_ = 0;
};

void say(int number)
{
    Line line;
    line.add("hostward: seccomp: system call ");
    line.add_number(static_cast<unsigned>(number));
    const auto index = static_cast<std::size_t>(number);
    if (number >= 0 && index < SyscallNames::kCount && known.names->names[index][0] != '\0') {
        line.add(" (");
        line.add(known.names->names[index].data());
        line.add(")");
    }
    line.add(" is not allowed in '");
    line.add(name_of(known.program));
    line.add(
        "': ending this process. If it should be, HOSTWARD_SECCOMP=log lets it pass and the kernel's log names all "
        "such calls; please report it\n");
    line.write();
}

void on_trap(int signal_number, siginfo_t* info, void* /*context*/)
{
    if (info->si_code == kFiltered) {
        say(info->si_syscall);
    }
    struct sigaction fatal = {};
    fatal.sa_handler = SIG_DFL;                        // NOLINT(*-union-access): its API
    (void)::sigaction(signal_number, &fatal, nullptr); // valid arguments cannot fail
    (void)::raise(signal_number);                      // not blocked: SA_NODEFER
    ::_exit(128 + signal_number);
}

} // namespace

void explain_traps(Program program, const SyscallNames& names)
{
    known = {program, &names};
    struct sigaction action = {};
    action.sa_sigaction = on_trap; // NOLINT(*-union-access): its API
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    (void)::sigaction(SIGSYS, &action, nullptr); // as above
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGSYS);
    (void)::sigprocmask(SIG_UNBLOCK, &set, nullptr); // inherited as blocked, the line would not be written
}

} // namespace hostward::sandbox
