// SPDX-License-Identifier: Apache-2.0
// What the `hammer` program counted.
#pragma once

#include "tests/e2e/support/site.h"

#include <cstdint>
#include <string>

namespace hostward::e2e {

struct Tally {
    std::uint64_t allowed = 0;
    std::uint64_t denied = 0; ///< EPERM
    std::uint64_t other = 0;  ///< any other failure
    std::uint64_t median_us = 0;
    std::uint64_t max_us = 0;
    std::uint64_t elapsed_us = 0;
    std::string text;

    [[nodiscard]] std::uint64_t tried() const { return allowed + denied + other; }
    [[nodiscard]] std::uint64_t per_second() const { return tried() * 1'000'000 / (elapsed_us == 0 ? 1 : elapsed_us); }
};

[[nodiscard]] Result<Tally> tally_of(const Outcome& outcome);

/// A hammer that connects over TCP until it is finished. It has begun when this returns.
[[nodiscard]] Result<Child> start_hammer(Launch launch);
[[nodiscard]] Result<Tally> finish_hammer(Child& hammer);

} // namespace hostward::e2e
