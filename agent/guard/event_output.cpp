// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/event_output.h"

#include "agent/guard/events_journal.h"

#include <poll.h>
#include <unistd.h>

namespace hostward::guard {

namespace {

void say(std::vector<std::string>& log, std::string text)
{
    if (!text.empty()) {
        log.push_back(std::move(text));
    }
}

} // namespace

Result<EventOutput> EventOutput::open(const std::string& run_dir, const LiveOutput& live)
{
    TRY_ASSIGN(EventFile file, EventFile::open(run_dir));
    EventOutput output(std::move(file), live.lines);
    if (!live.journal.empty()) {
        TRY_ASSIGN(output.journal_, JournalSocket::open(live.journal));
    }
    return output;
}

std::vector<std::string> EventOutput::write(const std::string& line, std::uint64_t now_ns)
{
    std::vector<std::string> log = write_live(line, now_ns);
    const auto written = file_.append(line);
    say(log, written ? file_losses_.written() : file_losses_.lost(written.error().text, now_ns));
    return log;
}

std::vector<std::string> EventOutput::write_live(const std::string& line, std::uint64_t now_ns)
{
    std::vector<std::string> log;
    const auto sent = journal_ ? journal_->send(journal_entry(line)) : print(line);
    const auto printed = journal_ && !sent ? print(line) : sent;
    if (!printed) {
        // Standard error may have the same reader: it is said when somebody reads again.
        (void)live_losses_.lost(printed.error().text, now_ns);
        return log;
    }
    if (!sent) {
        say(log, without_fields(sent.error().text, now_ns));
    }
    if (const std::string over = live_losses_.written(); !over.empty()) {
        log.push_back("standard output: " + over);
    }
    return log;
}

Status EventOutput::print(const std::string& line) const
{
    const std::string text = line + "\n";
    pollfd out{lines_, POLLOUT, 0};
    if (::poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0) {
        return system_error(EAGAIN, "nobody reads standard output");
    }
    const auto written = ::write(lines_, text.data(), text.size());
    if (written != static_cast<ssize_t>(text.size())) {
        const int error = written < 0 ? errno : ENOSPC;
        return system_error(error, "cannot write to standard output");
    }
    return success();
}

std::string EventOutput::without_fields(const std::string& problem, std::uint64_t now_ns)
{
    constexpr std::chrono::nanoseconds kEvery = kComplainEvery;
    if (complained_ns_ && now_ns - *complained_ns_ < static_cast<std::uint64_t>(kEvery.count())) {
        return "";
    }
    complained_ns_ = now_ns;
    return problem + ", continuing with lines without fields";
}

} // namespace hostward::guard
