// SPDX-License-Identifier: Apache-2.0
#include "agent/host/run.h"

#include "agent/base/text.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <climits>

namespace hostward::host {

namespace {

using Clock = std::chrono::steady_clock;

int milliseconds_until(Clock::time_point end)
{
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, INT_MAX));
}

Error too_long(const std::string& name, const RunLimits& limits)
{
    return Error{ErrorKind::Exhausted, 0,
                 quote(name) + " took longer than " + std::to_string(limits.timeout.count()) + " ms"};
}

struct Pipe {
    UniqueFd reader;
    UniqueFd writer;

    static Result<Pipe> open()
    {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
            return system_error(errno, "making a pipe");
        }
        return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
    }
};

/// posix_spawn's two C objects with their end.
struct SpawnPlan {
    posix_spawn_file_actions_t actions{};
    posix_spawnattr_t attributes{};

    SpawnPlan()
    {
        (void)::posix_spawn_file_actions_init(&actions); // glibc's never fails
        (void)::posix_spawnattr_init(&attributes);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;
    ~SpawnPlan()
    {
        (void)::posix_spawn_file_actions_destroy(&actions);
        (void)::posix_spawnattr_destroy(&attributes);
    }

    /// A process group of its own, so that what it starts ends with it; default signals; three descriptors.
    [[nodiscard]] bool prepare(int out, int err)
    {
        sigset_t all;
        sigset_t none;
        ::sigfillset(&all);
        ::sigemptyset(&none);
        constexpr short kFlags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
        return ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
               ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO) == 0 &&
               ::posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO) == 0 &&
               ::posix_spawnattr_setsigdefault(&attributes, &all) == 0 &&
               ::posix_spawnattr_setsigmask(&attributes, &none) == 0 &&
               ::posix_spawnattr_setpgroup(&attributes, 0) == 0 && ::posix_spawnattr_setflags(&attributes, kFlags) == 0;
    }
};

Result<pid_t> spawn(const std::vector<std::string>& argv, int out, int err)
{
    SpawnPlan plan;
    if (!plan.prepare(out, err)) {
        return Error{ErrorKind::Exhausted, 0, "no memory to start " + quote(argv[0])};
    }
    std::vector<std::string> words = argv; // posix_spawn wants writable text
    std::vector<char*> pointers;
    for (auto& word : words) {
        pointers.push_back(word.data());
    }
    pointers.push_back(nullptr);
    std::array<std::string, 2> settings{"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
    std::array<char*, 3> environment{settings[0].data(), settings[1].data(), nullptr};
    pid_t pid = 0;
    const int status =
        ::posix_spawn(&pid, words[0].c_str(), &plan.actions, &plan.attributes, pointers.data(), environment.data());
    if (status != 0) {
        return system_error(status, "starting " + quote(argv[0]));
    }
    return pid;
}

/// One program on its way. Whatever happens, it and its group are gone afterwards.
class Child {
public:
    explicit Child(pid_t pid) : pid_(pid) {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child()
    {
        if (pid_ > 0) {
            (void)reap(); // its result is of no interest any more
        }
    }

    /// False: it is still there at `end`, although it may have closed its output.
    [[nodiscard]] bool is_done_by(Clock::time_point end) const
    {
        const UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
        pollfd wait{fd.get(), POLLIN, 0};
        return fd && ::poll(&wait, 1, milliseconds_until(end)) == 1;
    }

    /// Ends the group while the leader, reaped last, still keeps its number from being used again.
    int reap()
    {
        (void)::kill(-pid_, SIGKILL); // already gone is fine
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = 0;
        constexpr int kSignalBase = 128;
        return WIFEXITED(status) ? WEXITSTATUS(status) : kSignalBase + WTERMSIG(status);
    }

private:
    pid_t pid_;
};

struct Stream {
    UniqueFd fd;
    std::string text;
};

/// Reads what is there. False: more than allowed.
bool take(Stream& stream, std::size_t bytes_max)
{
    std::array<char, 65536> buffer{};
    const ssize_t got = ::read(stream.fd.get(), buffer.data(), buffer.size());
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) {
        stream.fd.reset();
        return true;
    }
    stream.text.append(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    return stream.text.size() <= bytes_max;
}

Status read_all(std::array<Stream, 2>& streams, const RunLimits& limits, Clock::time_point end, const std::string& name)
{
    while (streams[0].fd || streams[1].fd) {
        // A closed one is -1, which poll ignores.
        std::array<pollfd, 2> wait{pollfd{streams[0].fd.get(), POLLIN, 0}, pollfd{streams[1].fd.get(), POLLIN, 0}};
        if (::poll(wait.data(), wait.size(), milliseconds_until(end)) == 0) {
            return too_long(name, limits);
        }
        for (std::size_t i = 0; i < streams.size(); ++i) {
            if (wait[i].revents != 0 && !take(streams[i], limits.output_bytes_max)) {
                return Error{ErrorKind::Exhausted, 0,
                             quote(name) + " printed more than " + std::to_string(limits.output_bytes_max) + " bytes"};
            }
        }
    }
    return success();
}

} // namespace

Result<Finished> run_program(const std::vector<std::string>& argv, const RunLimits& limits)
{
    if (argv.empty() || !argv[0].starts_with('/')) {
        return invalid_error("a program to run needs an absolute path");
    }
    const auto end = Clock::now() + limits.timeout;
    TRY_ASSIGN(Pipe out, Pipe::open());
    TRY_ASSIGN(Pipe err, Pipe::open());
    TRY_ASSIGN(const pid_t pid, spawn(argv, out.writer.get(), err.writer.get()));
    Child child(pid);
    out.writer.reset();
    err.writer.reset();
    std::array<Stream, 2> streams{Stream{std::move(out.reader), {}}, Stream{std::move(err.reader), {}}};
    TRY(read_all(streams, limits, end, argv[0]));
    if (!child.is_done_by(end)) {
        return too_long(argv[0], limits);
    }
    return Finished{child.reap(), std::move(streams[0].text), std::move(streams[1].text)};
}

} // namespace hostward::host
