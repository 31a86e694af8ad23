// SPDX-License-Identifier: Apache-2.0
// Sets of numbers as ranges: ports, protocols, addresses of up to 128 bits.
#pragma once

#include <vector>

namespace hostward::hardening {

__extension__ using Wide = unsigned __int128;

inline constexpr Wide kWideMax = ~Wide{0};

class NumberSet {
public:
    struct Range {
        Wide first = 0;
        Wide last = 0; ///< in the range
        bool operator==(const Range&) const = default;
    };

    NumberSet() = default; ///< empty
    NumberSet(Wide first, Wide last) { add(first, last); }

    [[nodiscard]] static NumberSet all() { return {0, kWideMax}; }

    void add(Wide first, Wide last);
    [[nodiscard]] NumberSet complement() const;
    [[nodiscard]] NumberSet and_also(const NumberSet& other) const;
    [[nodiscard]] bool has(Wide number) const;
    [[nodiscard]] bool empty() const { return ranges_.empty(); }
    [[nodiscard]] const std::vector<Range>& ranges() const { return ranges_; } ///< ascending, with gaps between
    bool operator==(const NumberSet&) const = default;

private:
    std::vector<Range> ranges_;
};

} // namespace hostward::hardening
