// SPDX-License-Identifier: Apache-2.0
#include "agent/base/log.h"
#include "agent/base/text.h"
#include "agent/cli/commands.h"
#include "agent/cli/event_reader.h"
#include "agent/cli/event_view.h"

#include <poll.h>
#include <sys/inotify.h>

#include <array>
#include <deque>

namespace hostward::cli {

namespace {

constexpr std::size_t kLastLines = 10; ///< shown before following

struct Printer {
    Output& out;
    bool json = false;
    std::uint64_t damaged = 0;

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
        printer.print(*line);
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

    /// Waits for a change. False: whoever reads our output is gone.
    Result<bool> wait(int output_fd)
    {
        std::array<pollfd, 2> waiting{{{fd_.get(), POLLIN, 0}, {output_fd, 0, 0}}};
        if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) {
            const int error_number = errno;
            return system_error(error_number, "cannot wait for events");
        }
        std::array<char, 4096> ignored{};
        while (::read(fd_.get(), ignored.data(), ignored.size()) > 0) {
            // What changed does not matter: the reader looks itself.
        }
        return (waiting[1].revents & POLLERR) == 0;
    }

private:
    explicit Changes(UniqueFd fd) : fd_(std::move(fd)) {}
    UniqueFd fd_;
};

Status follow(const std::string& run_dir, Printer& printer)
{
    TRY_ASSIGN(Changes changes, Changes::watch(run_dir)); // before the first read: nothing falls in between
    TRY_ASSIGN(EventReader reader, EventReader::open(run_dir));
    TRY(print_last(reader, printer));
    while (!printer.out.failed()) {
        TRY_ASSIGN(const bool is_read, changes.wait(printer.out.fd()));
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
    Printer printer{streams.out, line.json};
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
