// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/reasons.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace hostward::guard {

namespace {

constexpr Wording kUnknown{"unknown", "a number that this version does not know"};

struct Entry {
    unsigned number;
    Wording wording;
};

constexpr std::array kReasons{
    Entry{HW_REASON_RULE, {"rule", "a rule of the policy"}},
    Entry{HW_REASON_DEFAULT, {"default", "no rule matched, so the endpoint's default decides"}},
    Entry{HW_REASON_NO_POLICY, {"no_policy", "no policy is loaded"}},
    Entry{HW_REASON_UNREADABLE, {"unreadable", "a fact about the caller could not be read"}},
    Entry{HW_REASON_GROUPS_OVERFLOW,
          {"groups_overflow", "the caller has more supplementary groups than are looked at"}},
    Entry{HW_REASON_CGROUP_DEPTH, {"cgroup_depth", "the caller's cgroup is nested deeper than is looked at"}},
    Entry{HW_REASON_KERNEL_THREAD, {"kernel_thread", "the caller is a kernel thread"}},
    Entry{HW_REASON_SCRATCH_FULL, {"scratch_full", "no working memory was left for the decision"}},
    Entry{HW_REASON_TAG_FULL, {"tag_full", "allowed, but the socket could not be tagged"}},
    Entry{HW_REASON_UNTAGGED, {"untagged", "a packet from a socket that was never allowed"}},
    Entry{HW_REASON_STALE, {"stale", "a packet from a socket that an earlier policy allowed and this one does not"}},
    Entry{HW_REASON_SOURCE_ROUTE, {"source_route", "a source-route option names a guarded address"}},
    Entry{HW_REASON_MALFORMED, {"malformed", "the headers of the packet could not be read"}},
    Entry{HW_REASON_NO_SOCKET, {"no_socket", "a packet made on this host without a known socket"}},
    Entry{HW_REASON_PACKET_SOCKET, {"packet_socket", "a frame from a link-layer socket"}},
    Entry{HW_REASON_FORWARDED, {"forwarded", "a packet routed or bridged through this host"}},
    Entry{HW_REASON_BYPASS_SOCKET, {"bypass_socket", "a socket that would bypass the packet checks"}},
    Entry{HW_REASON_PTRACE, {"ptrace", "an attempt to trace a process that the policy allows"}},
    Entry{HW_REASON_FD_RECEIVED, {"fd_received", "an allowed socket was passed to a process that is not allowed"}},
    Entry{HW_REASON_SEALED, {"sealed", "an attempt to change the guard while it is sealed"}},
};

constexpr std::array kHooks{
    Entry{HW_HOOK_CONNECT4, {"connect4", "connect over IPv4"}},
    Entry{HW_HOOK_CONNECT6, {"connect6", "connect over IPv6"}},
    Entry{HW_HOOK_SENDMSG4, {"sendmsg4", "unconnected datagram over IPv4"}},
    Entry{HW_HOOK_SENDMSG6, {"sendmsg6", "unconnected datagram over IPv6"}},
    Entry{HW_HOOK_EGRESS, {"egress", "packet leaving a socket of this host"}},
    Entry{HW_HOOK_TC, {"tc", "packet leaving a network interface"}},
    Entry{HW_HOOK_LSM, {"lsm", "security hook of the kernel"}},
    Entry{HW_HOOK_REQUEST, {"request", "request on a connection that was decided before"}},
};

constexpr std::array kLost{
    Entry{HW_LOST_FLOWS_FULL, {"flows_full", "decisions counted but not listed: too many identities at once"}},
    Entry{HW_LOST_SCRATCH_BUSY, {"scratch_busy", "packet decisions counted but not listed: no working memory"}},
    Entry{HW_LOST_CACHE_FULL, {"cache_full", "cgroups matched again because the cache is full"}},
    Entry{HW_LOST_RING_FULL, {"ring_full", "wake-ups not sent because one is pending"}},
    Entry{HW_LOST_STREAMS_FULL,
          {"streams_full", "connections whose requests are not counted: no memory to follow them"}},
};

constexpr std::array kVerdicts{
    Entry{HW_DENY, {"deny", "refused"}},
    Entry{HW_ALLOW, {"allow", "allowed"}},
    Entry{HW_BROKER, {"broker", "sent to the request-level broker"}},
};

constexpr std::array kVersions{
    Entry{HW_IMDS_NONE, {"", "no request"}},
    Entry{HW_IMDS_V1, {"1", "a request without a token"}},
    Entry{HW_IMDS_V2, {"2", "a request with a token, or for one"}},
    Entry{HW_IMDS_UNKNOWN, {"unknown", "a request that could not be read, and what followed it"}},
};

/// Every number from 0 on has its entry at its own index.
template <std::size_t size> constexpr bool is_dense(const std::array<Entry, size>& table)
{
    for (std::size_t i = 0; i < size; ++i) {
        if (table[i].number != i) {
            return false;
        }
    }
    return true;
}
static_assert(kReasons.size() == HW_REASON_COUNT && is_dense(kReasons));
static_assert(kHooks.size() == HW_HOOK_COUNT && is_dense(kHooks));
static_assert(kLost.size() == HW_LOST_COUNT && is_dense(kLost));
static_assert(kVersions.size() == HW_IMDS_COUNT && is_dense(kVersions));
static_assert(kVerdicts.size() == HW_BROKER + 1 && is_dense(kVerdicts));

template <std::size_t size> Wording find(const std::array<Entry, size>& table, unsigned number)
{
    return number < size ? table[number].wording : kUnknown;
}

} // namespace

Wording reason_wording(unsigned reason) { return find(kReasons, reason); }
Wording hook_wording(unsigned hook) { return find(kHooks, hook); }
Wording lost_wording(unsigned lost) { return find(kLost, lost); }
Wording imds_wording(unsigned version) { return find(kVersions, version); }
Wording verdict_wording(unsigned verdict) { return find(kVerdicts, verdict); }

std::optional<unsigned> reason_number(std::string_view name)
{
    const auto* found = std::ranges::find(kReasons, name, [](const Entry& entry) { return entry.wording.name; });
    return found == kReasons.end() ? std::nullopt : std::optional(found->number);
}

} // namespace hostward::guard
