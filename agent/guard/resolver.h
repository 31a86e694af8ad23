// SPDX-License-Identifier: Apache-2.0
// The real Resolver: account files and program files of this host.
#pragma once

#include <memory>

#include "agent/guard/policy.h"

namespace hostward::guard {

/// Users and groups from /etc/passwd and /etc/group, programs as the kernel knows them. Without the privilege
/// to ask the kernel, exe() reports the error of that.
[[nodiscard]] std::unique_ptr<Resolver> make_resolver();

} // namespace hostward::guard
