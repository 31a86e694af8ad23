// SPDX-License-Identifier: Apache-2.0
// Event lines that could not be written: counted always, complained about now and then. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace hostward::guard {

class EventLosses {
public:
    static constexpr std::chrono::seconds kComplainEvery{60};

    /// A line is lost. Returns what to log: the first one of a row at once, then a sum every kComplainEvery.
    [[nodiscard]] std::string lost(const std::string& problem, std::uint64_t now_ns);
    /// A line is written. Returns what to log: that the row has ended.
    [[nodiscard]] std::string written();
    /// Since the start.
    [[nodiscard]] std::uint64_t total() const { return total_; }

private:
    std::uint64_t total_ = 0;
    std::uint64_t in_row_ = 0;
    std::uint64_t said_ns_ = 0;
};

} // namespace hostward::guard
