// SPDX-License-Identifier: Apache-2.0
// Stable names and texts of the numbers that the kernel side reports. The names are part of the --json
// contract: never change one, only add.
#pragma once

#include "ebpf/abi/guard.h"

#include <optional>
#include <string_view>

namespace hostward::guard {

/// A name for machines (snake_case) and a sentence for people.
struct Wording {
    std::string_view name;
    std::string_view text;
};

/// Wording of a number as found in a record; a number this build does not know is "unknown".
[[nodiscard]] Wording reason_wording(unsigned reason);   ///< enum hw_reason
[[nodiscard]] Wording hook_wording(unsigned hook);       ///< enum hw_hook
[[nodiscard]] Wording lost_wording(unsigned lost);       ///< enum hw_lost
[[nodiscard]] Wording imds_wording(unsigned version);    ///< enum hw_imds; no request is ""
[[nodiscard]] Wording verdict_wording(unsigned verdict); ///< enum hw_verdict

/// The enum hw_reason of a name, as events have it; nothing if this build does not know it.
[[nodiscard]] std::optional<unsigned> reason_number(std::string_view name);

} // namespace hostward::guard
