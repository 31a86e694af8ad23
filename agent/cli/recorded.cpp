// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/recorded.h"

#include "agent/base/log.h"
#include "agent/base/text.h"
#include "agent/cli/event_reader.h"
#include "agent/guard/events_time.h"

#include <chrono>
#include <limits>

namespace hostward::cli {

namespace {

std::int64_t now_ns()
{
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

} // namespace

Result<std::int64_t> first_moment(const std::string& since)
{
    if (since.empty()) {
        return std::numeric_limits<std::int64_t>::min();
    }
    if (const auto moment = guard::parse_since(since, now_ns())) {
        return *moment;
    }
    return invalid_error("--since " + quote(since) + " is no time");
}

Result<Unread> read_recorded(const CommandLine& line, const std::function<void(const guard::EventRecord&)>& take)
{
    TRY_ASSIGN(const std::int64_t since_ns, first_moment(line.since));
    TRY_ASSIGN(EventReader reader,
               line.events.empty() ? EventReader::open(line.guard.run_dir) : EventReader::open_kept(line.events));
    Unread unread;
    const auto read = [&](const std::string& text) {
        const auto event = guard::parse_event(text);
        if (!event) {
            ++(text.starts_with('{') ? unread.damaged : unread.foreign);
        } else if (event->last_ns >= since_ns) {
            take(*event);
        }
    };
    while (true) {
        TRY_ASSIGN(const auto text, reader.next());
        if (!text) {
            break;
        }
        read(*text);
    }
    // Nobody goes on writing a kept file. In the agent's own a line without an end is not complete yet.
    if (const std::string rest = line.events.empty() ? "" : reader.take_rest(); !rest.empty()) {
        read(rest);
    }
    unread.damaged += reader.dropped();
    if (const auto lines = unread.foreign + unread.damaged; lines > 0) {
        log_warning(std::to_string(lines) + " lines are no events, continuing without them");
    }
    return unread;
}

} // namespace hostward::cli
