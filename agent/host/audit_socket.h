// SPDX-License-Identifier: Apache-2.0
// One question to the audit subsystem of the running kernel, over netlink.
#pragma once

#include "agent/host/host.h"

#include <string>
#include <vector>

namespace hostward::host {

/// See Host::ask_audit.
[[nodiscard]] Result<std::vector<std::string>> ask_kernel_audit(AuditQuestion question);

} // namespace hostward::host
