// SPDX-License-Identifier: Apache-2.0
// JSON where every reader sees the same: no member twice, no bytes that are no UTF-8, bounded depth.
#pragma once

#include "agent/base/result.h"

#include <string>
#include <string_view>

namespace hostward::report {

inline constexpr int kJsonDepthMax = 64;

/// Invalid: `bytes` are not one JSON object, an object in them has a member twice, or they are nested
/// deeper than kJsonDepthMax. `what` names them in the text.
[[nodiscard]] Status check_strict_object(std::string_view bytes, const std::string& what);

} // namespace hostward::report
