// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/process.h"

#include "tests/e2e/support/spawn.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

namespace hostward::e2e {

namespace {

constexpr std::size_t kOutputMax = 4U << 20; ///< what a program may say; more is read and dropped
using Clock = std::chrono::steady_clock;

struct Pipe {
    UniqueFd reader;
    UniqueFd writer;
};

Result<Pipe> open_pipe()
{
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return system_error(errno, "pipe");
    }
    return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// Appends what is there; closes at end of file.
void read_into(UniqueFd& fd, std::string& text)
{
    std::array<char, 16384> buffer{};
    const ssize_t size = ::read(fd.get(), buffer.data(), buffer.size());
    if (size <= 0) {
        fd.reset();
        return;
    }
    const std::size_t room = kOutputMax - std::min(kOutputMax, text.size());
    text.append(buffer.data(), std::min(room, static_cast<std::size_t>(size)));
}

Milliseconds remaining(Clock::time_point end)
{
    return std::max(Milliseconds(0), std::chrono::duration_cast<Milliseconds>(end - Clock::now()));
}

/// The first whole line with `needle`, or nothing.
std::string find_line(const std::string& text, std::string_view needle)
{
    const std::size_t at = text.find(needle);
    if (at == std::string::npos) {
        return {};
    }
    const std::size_t end = text.find('\n', at);
    const std::size_t before = text.rfind('\n', at);
    const std::size_t start = before == std::string::npos ? 0 : before + 1;
    return end == std::string::npos ? std::string() : text.substr(start, end - start);
}

} // namespace

Identity nobody_with_raw_sockets()
{
    Identity who = nobody();
    who.capabilities = std::uint64_t{1} << CAP_NET_RAW;
    return who;
}

std::string Outcome::text() const
{
    std::string text = is_timed_out ? "timed out" : "exit " + std::to_string(exit_code);
    if (signal != 0) {
        text += ", signal " + std::to_string(signal);
    }
    return text + "\nstdout: " + out + "\nstderr: " + err;
}

Result<Child> Child::start(const Launch& launch)
{
    TRY_ASSIGN(Pipe input, open_pipe());
    TRY_ASSIGN(Pipe out, open_pipe());
    TRY_ASSIGN(Pipe err, open_pipe());
    TRY_ASSIGN(const pid_t pid, spawn(launch, {input.reader.get(), out.writer.get(), err.writer.get()}));
    Child child;
    child.pid_ = pid;
    child.handle_.reset(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    child.input_ = std::move(input.writer);
    child.out_ = std::move(out.reader);
    child.err_ = std::move(err.reader);
    return child;
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), handle_(std::move(other.handle_)), input_(std::move(other.input_)),
      out_(std::move(other.out_)), err_(std::move(other.err_)), out_text_(std::move(other.out_text_)),
      err_text_(std::move(other.err_text_))
{
}

Child& Child::operator=(Child&& other) noexcept
{
    if (this != &other) {
        this->~Child();
        new (this) Child(std::move(other));
    }
    return *this;
}

Child::~Child()
{
    if (pid_ > 0) {
        (void)finish(Milliseconds(0)); // nobody is left to ask for the outcome
    }
}

Status Child::write(std::string_view text)
{
    while (!text.empty()) {
        const ssize_t size = ::write(input_.get(), text.data(), text.size());
        if (size < 0) {
            return system_error(errno, "write to a program's input");
        }
        text.remove_prefix(static_cast<std::size_t>(size));
    }
    return success();
}

void Child::signal(int number) const
{
    if (pid_ > 0) {
        (void)kill(pid_, number); // it may be over already
    }
}

/// Waits for output or the end, at most `timeout`.
void Child::read_some(Milliseconds timeout, bool& is_over)
{
    std::array<pollfd, 3> sources{pollfd{out_.get(), POLLIN, 0}, pollfd{err_.get(), POLLIN, 0},
                                  pollfd{handle_.get(), POLLIN, 0}};
    if (poll(sources.data(), sources.size(), static_cast<int>(timeout.count())) <= 0) {
        return;
    }
    if (sources[0].revents != 0) {
        read_into(out_, out_text_);
    }
    if (sources[1].revents != 0) {
        read_into(err_, err_text_);
    }
    is_over = sources[2].revents != 0;
}

/// What is left in the pipes after the end, without waiting for whoever else holds them.
void Child::drain()
{
    for (auto* stream : {&out_, &err_}) {
        std::string& text = stream == &out_ ? out_text_ : err_text_;
        pollfd source{stream->get(), POLLIN, 0};
        while (stream->valid() && poll(&source, 1, 0) > 0) {
            read_into(*stream, text);
        }
    }
}

Result<std::string> Child::await_line(std::string_view needle, Milliseconds timeout, bool on_error)
{
    const auto end = Clock::now() + timeout;
    bool is_over = false;
    for (;;) {
        std::string line = find_line(on_error ? err_text_ : out_text_, needle);
        if (!line.empty()) {
            return line;
        }
        if (is_over || remaining(end).count() == 0) {
            drain();
            line = find_line(on_error ? err_text_ : out_text_, needle);
            if (!line.empty()) {
                return line;
            }
            return Error{ErrorKind::System, ETIMEDOUT,
                         "no line \"" + std::string(needle) + "\": stdout: " + out_text_ + " stderr: " + err_text_};
        }
        read_some(remaining(end), is_over);
    }
}

Outcome Child::finish(Milliseconds timeout)
{
    close_input();
    const auto end = Clock::now() + timeout;
    bool is_over = false;
    while (!is_over && remaining(end).count() > 0) {
        read_some(remaining(end), is_over);
    }
    Outcome outcome;
    outcome.is_timed_out = !is_over;
    if (!is_over) {
        (void)kill(pid_, SIGKILL);
    }
    int status = 0;
    (void)waitpid(pid_, &status, 0);
    (void)kill(-pid_, SIGKILL); // what it left behind in its group
    pid_ = -1;
    drain();
    outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    outcome.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    outcome.out = std::move(out_text_);
    outcome.err = std::move(err_text_);
    return outcome;
}

Result<Outcome> run(const Launch& launch)
{
    TRY_ASSIGN(Child child, Child::start(launch));
    if (!launch.input.empty()) {
        TRY(child.write(launch.input));
    }
    return child.finish(launch.timeout);
}

} // namespace hostward::e2e
