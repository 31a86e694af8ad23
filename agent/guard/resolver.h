// SPDX-License-Identifier: Apache-2.0
// The real Resolver: account files and program files of this host.
#pragma once

#include "agent/base/result.h"
#include "agent/guard/policy.h"

#include <memory>

namespace hostward::guard {

/// Users and groups from /etc/passwd and /etc/group as they are now, programs as the kernel knows them. Account
/// files that cannot be read are an error, not an empty list: a deny rule must not stop matching silently.
/// Without the privilege to ask the kernel, exe() reports the error of that.
[[nodiscard]] Result<std::unique_ptr<Resolver>> make_resolver();

} // namespace hostward::guard
