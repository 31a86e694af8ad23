// SPDX-License-Identifier: Apache-2.0
// What `verify` prints.
#pragma once

#include "agent/report/verify.h"

#include <string>

namespace hostward::cli {

[[nodiscard]] std::string verification_text(const report::Verification& verification);
[[nodiscard]] std::string verification_json(const report::Verification& verification);

} // namespace hostward::cli
