// SPDX-License-Identifier: Apache-2.0
#include "agent/base/text.h"
#include "agent/cli/caller.h"
#include "agent/cli/recorded.h"
#include "agent/guard/events_time.h"

#include <algorithm>
#include <utility>

namespace hostward::cli {

namespace {

struct Denials {
    std::optional<guard::EventRecord> newest; ///< of a known caller
    std::optional<guard::EventRecord> newer;  ///< newer still, but nobody knows whose
};

Result<Denials> read_denials(const CommandLine& line)
{
    Denials out;
    TRY(read_recorded(line, [&](const guard::EventRecord& event) {
        if (event.outcome == guard::Outcome::Allow) {
            return;
        }
        auto& slot = event.uid && event.euid ? out.newest : out.newer;
        if (!slot || event.last_ns >= slot->last_ns) {
            slot = event;
        }
    }));
    if (out.newest && out.newer && out.newer->last_ns <= out.newest->last_ns) {
        out.newer.reset();
    }
    return out;
}

std::string told(const guard::EventRecord& event)
{
    const std::string what = event.outcome == guard::Outcome::Deny ? "denied" : "denied, but for audit mode,";
    const std::string cause = event.rule.empty() ? "reason " + escape(event.reason) : "rule " + quote(event.rule);
    return what + " until " + guard::rfc3339(event.last_ns) + ": " + cause;
}

/// Rules name paths: the file that is there today is what the policy is about.
std::optional<guard::ExeFact> present_file(const guard::EventRecord& event, guard::Resolver& resolver)
{
    if (event.container || event.exe_untrusted || !event.exe.starts_with('/')) {
        return std::nullopt;
    }
    const auto info = resolver.exe(event.exe);
    return info ? info->fact : std::nullopt;
}

} // namespace

Result<RecordedDenial> last_denial(const CommandLine& line, guard::Resolver& resolver)
{
    TRY_ASSIGN(const Denials denials, read_denials(line));
    if (!denials.newest) {
        return Error{ErrorKind::NotFound, 0, "no denial of a known caller is recorded"};
    }
    const guard::EventRecord& event = *denials.newest;
    RecordedDenial out;
    out.endpoint = event.endpoint;
    out.subject.caller = guard::caller_of(event, account_groups(*event.uid));
    out.subject.program = event.exe;
    out.subject.notes.push_back(told(event));
    if (const auto fact = present_file(event, resolver)) {
        out.subject.caller.exe = fact;
    }
    if (event.exe_untrusted) {
        out.subject.notes.emplace_back("its program was deleted, in memory only or on a mount of an unprivileged user: "
                                       "rules with exe do not match");
    }
    if (denials.newer) {
        out.subject.notes.push_back("something of no known caller was " + told(*denials.newer));
    }
    return out;
}

} // namespace hostward::cli
