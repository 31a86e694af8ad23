// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace hostward {

/// Text for a terminal or a log line: as escape(), but backslash and double quote stay. For text that is already
/// escaped once (so that it does not double) and as the last barrier before people's eyes.
[[nodiscard]] std::string printable(std::string_view text);

} // namespace hostward
