// SPDX-License-Identifier: Apache-2.0
#include "agent/base/log.h"
#include "agent/base/text.h"
#include "agent/cli/commands.h"
#include "agent/cli/event_reader.h"
#include "agent/cli/event_view.h"
#include "agent/cli/recorded.h"
#include "agent/guard/events_filter.h"

#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>

#include <array>
#include <deque>

namespace hostward::cli {

namespace {

constexpr std::size_t kLastLines = 10; ///< shown before following

struct Printer {
    Output& out;
    bool json = false;
    guard::EventFilter filter;
    std::uint64_t damaged = 0;

    /// Counts what it cannot judge.
    bool wants(const std::string& line)
    {
        if (filter.takes_all()) {
            return true;
        }
        const auto event = guard::parse_event(line);
        damaged += event ? 0U : 1U;
        return event && filter.matches(*event);
    }

    /// Of a line that is wanted.
    void print(const std::string& line)
    {
        if (json && is_event(line)) {
            out.print_line(line);
        } else if (const auto text = json ? std::nullopt : event_text(line)) {
            out.print_line(*text);
        } else {
            ++damaged;
        }
    }
};

Status print_available(EventReader& reader, Printer& printer)
{
    while (!printer.out.failed()) {
        TRY_ASSIGN(const auto line, reader.next());
        if (!line) {
            break;
        }
        if (printer.wants(*line)) {
            printer.print(*line);
        }
    }
    return success();
}

Status print_last(EventReader& reader, Printer& printer)
{
    std::deque<std::string> last;
    while (true) {
        TRY_ASSIGN(auto line, reader.next());
        if (!line) {
            break;
        }
        if (!printer.wants(*line)) {
            continue;
        }
        last.push_back(std::move(*line));
        if (last.size() > kLastLines) {
            last.pop_front();
        }
    }
    for (const auto& line : last) {
        printer.print(line);
    }
    return success();
}

/// SIGINT and SIGTERM as a descriptor while it lives: a person who has seen enough is no failure.
class Stop {
public:
    static Result<Stop> watch()
    {
        Stop out;
        (void)::sigemptyset(&out.signals_);
        (void)::sigaddset(&out.signals_, SIGINT);
        (void)::sigaddset(&out.signals_, SIGTERM);
        out.fd_.reset(::signalfd(-1, &out.signals_, SFD_CLOEXEC | SFD_NONBLOCK));
        if (!out.fd_) {
            const int error_number = errno;
            return system_error(error_number, "cannot watch for the end");
        }
        return out;
    }
    [[nodiscard]] int fd() const { return fd_.get(); }

    /// Only while we wait: whoever writes to a reader that does not read must die of the signal.
    void block(bool blocked) const
    {
        (void)::sigprocmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &signals_, nullptr); // valid arguments cannot fail
    }
    /// Takes a signal that came. Before block(false), or it ends us after all.
    [[nodiscard]] bool has_come() const
    {
        signalfd_siginfo ignored{};
        return ::read(fd_.get(), &ignored, sizeof(ignored)) == sizeof(ignored);
    }

private:
    Stop() = default;
    sigset_t signals_{};
    UniqueFd fd_;
};

/// Told by the kernel when the folder of the events changes.
class Changes {
public:
    static Result<Changes> watch(const std::string& run_dir)
    {
        UniqueFd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
        if (!fd || ::inotify_add_watch(fd.get(), run_dir.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
            const int error_number = errno;
            return system_error(error_number, "cannot watch " + quote(run_dir));
        }
        return Changes(std::move(fd));
    }

    /// Waits for a change. False: whoever reads our output is gone, or we are asked to stop.
    Result<bool> wait(int output_fd, const Stop& stop)
    {
        std::array<pollfd, 3> waiting{{{fd_.get(), POLLIN, 0}, {output_fd, 0, 0}, {stop.fd(), POLLIN, 0}}};
        stop.block(true);
        const int count = ::poll(waiting.data(), waiting.size(), -1);
        const int error_number = errno;
        const bool stopped = stop.has_come();
        stop.block(false);
        if (count < 0 && error_number != EINTR) {
            return system_error(error_number, "cannot wait for events");
        }
        std::array<char, 4096> ignored{};
        while (::read(fd_.get(), ignored.data(), ignored.size()) > 0) {
            // What changed does not matter: the reader looks itself.
        }
        return !stopped && (waiting[1].revents & POLLERR) == 0;
    }

private:
    explicit Changes(UniqueFd fd) : fd_(std::move(fd)) {}
    UniqueFd fd_;
};

Status follow(const std::string& run_dir, Printer& printer)
{
    TRY_ASSIGN(const Stop stop, Stop::watch());
    TRY_ASSIGN(Changes changes, Changes::watch(run_dir)); // before the first read: nothing falls in between
    TRY_ASSIGN(EventReader reader, EventReader::open(run_dir));
    TRY(print_last(reader, printer));
    while (!printer.out.failed()) {
        TRY_ASSIGN(const bool is_read, changes.wait(printer.out.fd(), stop));
        if (!is_read) {
            break;
        }
        TRY(print_available(reader, printer));
    }
    return success();
}

} // namespace

Result<ExitCode> guard_events(const CommandLine& line, const Streams& streams)
{
    Printer printer{streams.out, line.json, line.filter};
    TRY_ASSIGN(printer.filter.since_ns, first_moment(line.since));
    if (line.follow) {
        TRY(follow(line.guard.run_dir, printer));
        return ExitCode::Ok;
    }
    TRY_ASSIGN(EventReader reader, EventReader::open(line.guard.run_dir));
    TRY(print_available(reader, printer));
    if (const auto unreadable = printer.damaged + reader.dropped(); unreadable > 0) {
        log_warning(std::to_string(unreadable) + " lines are no events, not shown");
    }
    return ExitCode::Ok;
}

} // namespace hostward::cli
