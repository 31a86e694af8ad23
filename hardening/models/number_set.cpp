// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/number_set.h"

#include <algorithm>

namespace hostward::hardening {

void NumberSet::add(Wide first, Wide last)
{
    if (first > last) {
        return;
    }
    std::vector<Range> merged;
    Range grown{first, last};
    bool is_placed = false;
    for (const auto& range : ranges_) {
        const bool is_before = range.last != kWideMax && range.last + 1 < grown.first;
        const bool is_after = grown.last != kWideMax && grown.last + 1 < range.first;
        if (is_after && !is_placed) {
            merged.push_back(grown);
            is_placed = true;
        }
        if (is_before || is_after) {
            merged.push_back(range);
        } else {
            grown = {std::min(grown.first, range.first), std::max(grown.last, range.last)};
        }
    }
    if (!is_placed) {
        merged.push_back(grown);
    }
    ranges_ = std::move(merged);
}

NumberSet NumberSet::complement() const
{
    NumberSet out;
    Wide next = 0;
    for (const auto& range : ranges_) {
        if (range.first > next) {
            out.ranges_.push_back({next, range.first - 1});
        }
        if (range.last == kWideMax) {
            return out;
        }
        next = range.last + 1;
    }
    out.ranges_.push_back({next, kWideMax});
    return out;
}

NumberSet NumberSet::and_also(const NumberSet& other) const
{
    NumberSet out;
    auto left = ranges_.begin();
    auto right = other.ranges_.begin();
    while (left != ranges_.end() && right != other.ranges_.end()) {
        const Wide first = std::max(left->first, right->first);
        const Wide last = std::min(left->last, right->last);
        if (first <= last) {
            out.ranges_.push_back({first, last});
        }
        if (left->last < right->last) {
            ++left;
        } else {
            ++right;
        }
    }
    return out;
}

bool NumberSet::has(Wide number) const
{
    return std::ranges::any_of(ranges_,
                               [number](const Range& range) { return range.first <= number && number <= range.last; });
}

} // namespace hostward::hardening
