// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/base/result.h"

#include <string>
#include <string_view>

namespace hostward::report {

[[nodiscard]] bool is_gzip(std::string_view bytes);

/// What one gzip member holds. Invalid: damaged, cut off, followed by something, or more than `bytes_max` long.
[[nodiscard]] Result<std::string> gunzip(std::string_view bytes, std::size_t bytes_max);

} // namespace hostward::report
