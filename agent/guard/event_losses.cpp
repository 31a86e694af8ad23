// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/event_losses.h"

#include <utility>

namespace hostward::guard {

std::string EventLosses::lost(const std::string& problem, std::uint64_t now_ns)
{
    constexpr std::chrono::nanoseconds kEvery = kComplainEvery;
    ++total_;
    if (++in_row_ > 1 && now_ns - said_ns_ < static_cast<std::uint64_t>(kEvery.count())) {
        return "";
    }
    said_ns_ = now_ns;
    return problem + ", continuing without the lines: " + std::to_string(in_row_) +
           " lost so far, decisions are counted";
}

std::string EventLosses::written()
{
    const std::uint64_t lost = std::exchange(in_row_, 0);
    return lost == 0 ? "" : "events are written again, lines lost: " + std::to_string(lost);
}

} // namespace hostward::guard
