// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/base/result.h"

#include <string>
#include <string_view>

namespace hostward::report {

/// One gzip member without a time and a name: the same bytes give the same bytes. Exhausted: no memory.
[[nodiscard]] Result<std::string> gzip(std::string_view bytes);

} // namespace hostward::report
