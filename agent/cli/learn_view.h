// SPDX-License-Identifier: Apache-2.0
// What `guard learn` prints. Pure.
#pragma once

#include "agent/guard/learn.h"

#include <string>

namespace hostward::cli {

/// Rules in the policy's language with comments of what each was seen doing: a drop-in, a policy of its own, or
/// lines to append to one. Whatever paths and names hold, they stay within their comment or string.
[[nodiscard]] std::string learn_toml(const guard::Learned& learned);

/// The same for programs: one object on one line.
[[nodiscard]] std::string learn_json(const guard::Learned& learned);

} // namespace hostward::cli
