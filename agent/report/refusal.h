// SPDX-License-Identifier: Apache-2.0
// Why a proof does not count: a stable word for programs, a sentence for people.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace hostward::report {

struct Refusal {
    std::string_view code; ///< one of docs/verify.md, a constant
    std::string text;
};

/// Nothing: passed.
using Check = std::optional<Refusal>;

template <typename T> using Checked = std::variant<T, Refusal>;

} // namespace hostward::report
