// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/base/result.h"

#include <string>
#include <string_view>

namespace hostward::cli {

/// Makes the file `path` with this text, complete or not at all, on disk when it returns. Conflict: there is one, and
/// `replace` is false.
[[nodiscard]] Status write_new_file(const std::string& path, std::string_view text, bool replace);

} // namespace hostward::cli
