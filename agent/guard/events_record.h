// SPDX-License-Identifier: Apache-2.0
// An event line read back: what the guard recorded, as typed data. Pure.
#pragma once

#include "agent/guard/decide.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hostward::guard {

/// What was decided. WouldDeny: denied by the policy and let pass by audit mode.
enum class Outcome { Allow, Deny, WouldDeny };

/// Texts are as the kernel had them (the line's escaping undone): any bytes. Empty: not known.
struct EventRecord {
    Outcome outcome = Outcome::Deny;
    std::uint64_t count = 1;
    std::int64_t first_ns = 0; ///< since 1970
    std::int64_t last_ns = 0;
    std::string reason;
    std::string rule;
    std::string endpoint;
    std::string hook;
    std::optional<std::uint32_t> uid;
    std::optional<std::uint32_t> euid; ///< none: a packet was judged, only its socket's owner is known
    std::optional<std::uint32_t> gid;
    std::string user; ///< name of the real one
    std::string exe;
    std::optional<ExeFact> exe_fact;
    bool exe_untrusted = false;
    bool exe_trust_known = true; ///< false: the line does not say, and exe_untrusted is a guess
    std::string cgroup;
    std::string unit;
    std::optional<std::int64_t> pid;
    bool container = false;
    bool container_known = true; ///< false: the line does not say, and container is a guess
    std::string imds_version;    ///< "1" or "2", where it was recorded
};

/// Nothing: no event of this schema. Fields that it does not know are left alone.
[[nodiscard]] std::optional<EventRecord> parse_event(std::string_view line);

/// The facts about the caller that a decision looks at. `groups`: the supplementary groups, which no event has.
[[nodiscard]] Caller caller_of(const EventRecord& event, std::vector<std::uint32_t> groups);

/// Who asked, for people: `alice (uid 1000) as uid 0`. Any bytes; empty: nobody knows.
[[nodiscard]] std::string user_text(const EventRecord& event);

/// Undoes escape(). Nothing: escape() never wrote this.
[[nodiscard]] std::optional<std::string> unescape(std::string_view escaped);

} // namespace hostward::guard
