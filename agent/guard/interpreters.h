// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace hostward::guard {

/// Whether a program file of this name (without folder) runs what its caller hands it, so that the file says
/// nothing about who asks: python3.11, bash, java, ld-linux ...
[[nodiscard]] bool is_interpreter_name(std::string_view name);

} // namespace hostward::guard
