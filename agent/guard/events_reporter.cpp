// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/events.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace hostward::guard {

namespace {

std::uint64_t repeat_ns(const hw_flow_key& key)
{
    const std::chrono::nanoseconds wait = key.verdict == HW_ALLOW ? Reporter::kRepeatAllowed : Reporter::kRepeatDenied;
    return static_cast<std::uint64_t>(wait.count());
}

/// Adds `more` to `rest`. Pid and texts are those of the first.
void merge(Flow& rest, const Flow& more)
{
    if (rest.value.count == 0) {
        rest = more;
        return;
    }
    if (more.value.first_ns < rest.value.first_ns) {
        rest.value.first_ns = more.value.first_ns;
        rest.value.pid = more.value.pid;
    }
    rest.value.last_ns = std::max(rest.value.last_ns, more.value.last_ns);
    rest.value.count += more.value.count;
}

/// Forgets the longest silent identity; what it still held goes to `evicted`.
template <typename Map> void make_room(Map& held, std::vector<Flow>& evicted)
{
    const auto oldest = std::ranges::min_element(
        held, {}, [](const auto& entry) { return std::pair(entry.second.seen_ns, entry.second.reported_ns); });
    if (oldest->second.rest.value.count > 0) {
        evicted.push_back(oldest->second.rest);
    }
    held.erase(oldest);
}

/// What may be a line now, up to the bound. The rest stays held.
template <typename Map> std::vector<Flow> take_due(Map& held, std::uint64_t now_ns)
{
    std::vector<typename Map::mapped_type*> due;
    for (auto& [key, entry] : held) {
        const bool is_new = entry.reported_ns == 0;
        if (entry.rest.value.count > 0 && (is_new || now_ns - entry.reported_ns >= repeat_ns(key))) {
            due.push_back(&entry);
        }
    }
    // Who waits longest comes first, so that no flood of new identities keeps an old one waiting for ever.
    std::ranges::stable_sort(due, {}, [](const auto* entry) { return entry->rest.value.first_ns; });
    due.resize(std::min(due.size(), Reporter::kLinesPerBatch));
    std::vector<Flow> lines;
    for (auto* entry : due) {
        lines.push_back(entry->rest);
        entry->rest.value.count = 0;
        entry->reported_ns = std::max<std::uint64_t>(now_ns, 1); // 0 means never
    }
    return lines;
}

} // namespace

bool Reporter::KeyLess::operator()(const hw_flow_key& a, const hw_flow_key& b) const
{
    return std::memcmp(&a, &b, sizeof(a)) < 0;
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): the batch is handed over, nobody else may count it again
std::vector<Flow> Reporter::take(std::vector<Flow> batch, std::uint64_t now_ns)
{
    std::vector<Flow> evicted;
    for (const auto& flow : batch) {
        if (flow.value.count == 0) {
            continue;
        }
        if (held_.size() >= kIdentitiesMax && !held_.contains(flow.key)) {
            make_room(held_, evicted);
        }
        Held& held = held_[flow.key];
        merge(held.rest, flow);
        held.seen_ns = now_ns;
    }
    std::vector<Flow> lines = take_due(held_, now_ns);
    // The evicted have the lines that are left; those without one are in the summary only.
    for (const auto& flow : evicted) {
        if (lines.size() < kLinesPerBatch) {
            lines.push_back(flow);
        } else {
            suppressed_ += flow.value.count;
        }
    }
    return lines;
}

std::vector<Flow> Reporter::flush()
{
    std::vector<Flow> lines;
    for (auto& [key, held] : held_) {
        if (held.rest.value.count > 0) {
            lines.push_back(held.rest);
            held.rest.value.count = 0;
        }
    }
    return lines;
}

std::uint64_t Reporter::suppressed() { return std::exchange(suppressed_, 0); }

} // namespace hostward::guard
