// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/events_filter.h"

namespace hostward::guard {

namespace {

constexpr std::int64_t kAlways = std::numeric_limits<std::int64_t>::min();

bool is_wanted(const std::string& wanted, const std::string& value) { return wanted.empty() || wanted == value; }

bool is_user(const std::string& wanted, const EventRecord& event)
{
    const auto is_id = [&](const std::optional<std::uint32_t>& id) { return id && wanted == std::to_string(*id); };
    return wanted.empty() || wanted == event.user || is_id(event.uid) || is_id(event.euid);
}

std::string decision_of(const EventRecord& event)
{
    switch (event.outcome) {
    case Outcome::Allow: return "allow";
    case Outcome::Deny: return "deny";
    case Outcome::WouldDeny: return "would-deny";
    }
    return "";
}

} // namespace

bool EventFilter::takes_all() const
{
    return user.empty() && exe.empty() && unit.empty() && rule.empty() && decision.empty() && !container &&
           since_ns == kAlways;
}

bool EventFilter::matches(const EventRecord& event) const
{
    return is_user(user, event) && is_wanted(exe, event.exe) && is_wanted(unit, event.unit) &&
           is_wanted(rule, event.rule) && is_wanted(decision, decision_of(event)) && (!container || event.container) &&
           event.last_ns >= since_ns;
}

} // namespace hostward::guard
