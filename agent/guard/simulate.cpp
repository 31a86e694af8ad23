// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/simulate.h"

#include "agent/guard/events_text.h"
#include "agent/guard/learn_place.h"
#include "agent/guard/simulate_judge.h"

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>
#include <utility>

namespace hostward::guard {

namespace {

void add_saturated(std::uint64_t& sum, std::uint64_t more)
{
    const auto room = std::numeric_limits<std::uint64_t>::max() - sum;
    sum += std::min(more, room);
}

/// As narrow as it still is the same place at the next start.
std::string place_of(const std::string& cgroup)
{
    const Place place = stable_place(cgroup);
    if (place.why_not.empty()) {
        return place.unit.empty() ? place.cgroup : place.unit;
    }
    const std::string unit = unit_of(cgroup);
    return unit.empty() ? cgroup : unit;
}

auto key_of(const Simulated& entry)
{
    return std::tie(entry.user, entry.exe, entry.place, entry.endpoint, entry.container, entry.was_allowed,
                    entry.was.reason, entry.was.rule, entry.now.reason, entry.now.rule, entry.why);
}

/// All that make one entry of a list; what was seen is not part of it.
struct Less {
    bool operator()(const Simulated& a, const Simulated& b) const { return key_of(a) < key_of(b); }
};
using Entries = std::map<Simulated, Tally, Less>;

Simulated entry_of(const EventRecord& event, const Judgement& judged)
{
    Simulated out;
    out.user = user_text(event);
    out.exe = event.exe;
    out.place = place_of(event.cgroup);
    out.endpoint = event.endpoint;
    out.container = event.container;
    out.was_allowed = event.outcome == Outcome::Allow;
    out.was = {event.reason, event.rule};
    out.now = judged.cause;
    out.why = judged.why;
    return out;
}

std::uint64_t size_of(const Tally& tally)
{
    std::uint64_t sum = tally.decisions;
    add_saturated(sum, tally.requests);
    return sum;
}

std::vector<Simulated> most_first(const Entries& entries)
{
    std::vector<Simulated> out;
    for (const auto& [entry, seen] : entries) {
        out.push_back(entry);
        out.back().seen = seen;
    }
    std::ranges::stable_sort(out, std::ranges::greater{}, [](const Simulated& entry) { return size_of(entry.seen); });
    return out;
}

} // namespace

void Tally::add(const EventRecord& event)
{
    first_ns = empty() ? event.first_ns : std::min(first_ns, event.first_ns);
    last_ns = empty() ? event.last_ns : std::max(last_ns, event.last_ns);
    add_saturated(event.hook == "request" ? requests : decisions, event.count);
}

struct Simulator::Impl {
    Judge judge;
    Simulation out;
    Entries refused;
    Entries allowed;
    Entries untold;
    std::set<std::string> endpoints; ///< of the policy, that events are about

    void see_endpoint(const std::string& name)
    {
        if (std::ranges::count(judge.policy().endpoint_names, name) > 0) {
            endpoints.insert(name);
        }
    }

    /// Counts the event where the judgement puts it; the list it belongs to, if it is a change.
    Entries* sort(const EventRecord& event, const Judgement& judged)
    {
        const bool was_allowed = event.outcome == Outcome::Allow;
        if (!judged.allowed) {
            out.cannot_tell.add(event);
            return &untold;
        }
        if (*judged.allowed != was_allowed) {
            (was_allowed ? out.refused : out.allowed).add(event);
            return was_allowed ? &refused : &allowed;
        }
        (was_allowed ? out.stays_allowed : out.stays_denied).add(event);
        if (event.outcome == Outcome::WouldDeny) {
            out.passed_in_audit.add(event);
        }
        return nullptr;
    }

    void list(const EventRecord& event, const Judgement& judged, Entries& entries)
    {
        const Simulated entry = entry_of(event, judged);
        const auto known = entries.find(entry);
        if (known != entries.end()) {
            known->second.add(event);
        } else if (refused.size() + allowed.size() + untold.size() < kListedMax) {
            entries[entry].add(event);
        } else {
            out.unlisted.add(event);
        }
    }
};

// NOLINTNEXTLINE(performance-unnecessary-value-param): handed over
Simulator::Simulator(const config::GuardConfig& config, CompiledPolicy policy, Resolver& resolver, GroupsOf groups)
    : impl_(std::make_unique<Impl>(
          Impl{Judge(config, std::move(policy), resolver, std::move(groups)), {}, {}, {}, {}, {}}))
{
}
Simulator::~Simulator() = default;
Simulator::Simulator(Simulator&&) noexcept = default;
Simulator& Simulator::operator=(Simulator&&) noexcept = default;

void Simulator::add(const EventRecord& event)
{
    const Judgement judged = impl_->judge.ask(event);
    impl_->out.all.add(event);
    impl_->see_endpoint(event.endpoint);
    if (judged.by_groups) {
        impl_->out.by_groups.add(event);
    }
    if (Entries* entries = impl_->sort(event, judged)) {
        impl_->list(event, judged, *entries);
    }
}

Simulation Simulator::finish()
{
    Simulation& out = impl_->out;
    out.would_be_refused = most_first(impl_->refused);
    out.would_be_allowed = most_first(impl_->allowed);
    out.untold = most_first(impl_->untold);
    for (const auto& name : impl_->judge.policy().endpoint_names) {
        if (!impl_->endpoints.contains(name)) {
            out.unseen_endpoints.push_back(name);
        }
    }
    return std::move(out);
}

} // namespace hostward::guard
