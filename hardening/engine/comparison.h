// SPDX-License-Identifier: Apache-2.0
// What changed since an earlier report.
#pragma once

#include "hardening/engine/verdict.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

enum class Change {
    NewFailure,   ///< fails without a waiver, and did not
    Fixed,        ///< did fail, and does not: it passes, does not apply, or is waived
    NoLongerTold, ///< could be told, and cannot
    NowTold,
    Added,   ///< the earlier report did not have it
    Removed, ///< the profile does not have it any more
};

/// `new-failure`, `fixed`, `no-longer-told`, `now-told`, `added`, `removed`: the words of every output.
[[nodiscard]] const char* change_name(Change change);

struct Changed {
    Change change = Change::Added;
    std::string number;
    std::string title;
    std::optional<Verdict> before;
    std::optional<Verdict> now;
};

struct Comparison {
    std::string file;             ///< of the earlier report, as it was given
    std::int64_t started_s = 0;   ///< the earlier one, since 1970
    std::vector<Changed> changes; ///< by kind, then as in the profile

    [[nodiscard]] bool is_new_failure(std::string_view number) const
    {
        return std::ranges::any_of(
            changes, [number](const Changed& one) { return one.change == Change::NewFailure && one.number == number; });
    }
};

} // namespace hostward::hardening
