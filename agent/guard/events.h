// SPDX-License-Identifier: Apache-2.0
// Decisions as events for people: aggregated flows out of the kernel, lines into a bounded file. The flow
// side is I/O (flows.h), this is pure.
#pragma once

#include "ebpf/abi/guard.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::guard {

/// One aggregated decision as the kernel reported it.
struct Flow {
    hw_flow_key key{};
    hw_flow value{};
};

/// What turns numbers into names when a line is written. All may return an empty string: unknown.
struct Names {
    std::function<std::string(std::uint32_t)> user;
    std::function<std::string(std::uint32_t)> group;
    std::function<std::string(std::uint32_t rule, std::uint64_t generation)> rule;
    std::function<std::string(std::uint32_t endpoint, std::uint64_t generation)> endpoint;
};

/// Leaf-first, NUL-separated kernel text to a path: "x\0bin\0usr\0" -> "/usr/bin/x". A text cut at its bound
/// gets "..." in front. Empty stays empty.
[[nodiscard]] std::string path_from_text(const char* text, std::size_t size);

/// One JSON object on one line, without the newline. Schema: docs/events.md.
/// wall_offset: CLOCK_REALTIME minus CLOCK_MONOTONIC, in nanoseconds.
[[nodiscard]] std::string event_line(const Flow& flow, const Names& names, std::int64_t wall_offset_ns);

/// Decides which flows become lines now: a new identity at once, a repeated one at most every
/// kRepeatDenied / kRepeatAllowed, never more than kLinesPerBatch per call; what is held back is added to the
/// next line of the same identity or to one summary line, so counts are never lost. Remembers at most
/// kIdentitiesMax identities; a further one evicts the longest silent one, whose rest is flushed as a line.
class Reporter {
public:
    static constexpr std::size_t kIdentitiesMax = 4096;
    static constexpr std::size_t kLinesPerBatch = 50;
    static constexpr std::chrono::seconds kRepeatDenied{10};
    static constexpr std::chrono::seconds kRepeatAllowed{300};

    /// Takes one batch drained from the kernel, returns the flows to print (counts merged) and, if lines were
    /// held back by kLinesPerBatch, sets suppressed().
    [[nodiscard]] std::vector<Flow> take(std::vector<Flow> batch, std::uint64_t now_ns);
    /// Everything still held back, for the agent's end.
    [[nodiscard]] std::vector<Flow> flush();
    /// Decisions (not lines) held back since the last call, then 0.
    [[nodiscard]] std::uint64_t suppressed();

private:
    struct Held {
        Flow rest; ///< value.count == 0: nothing held
        std::uint64_t reported_ns = 0;
        std::uint64_t seen_ns = 0;
    };
    struct KeyLess {
        bool operator()(const hw_flow_key& a, const hw_flow_key& b) const;
    };
    std::map<hw_flow_key, Held, KeyLess> held_;
    std::uint64_t suppressed_ = 0;
};

} // namespace hostward::guard
