// SPDX-License-Identifier: Apache-2.0
// The audit rules that the next boot loads, as the files of a host say.
#pragma once

#include "agent/base/result.h"
#include "hardening/models/audit_load.h"
#include "hardening/models/audit_syscalls.h"
#include "hardening/models/facts.h"

#include <string>

namespace hostward::hardening {

/// What the rules are for. Unsupported: neither x86_64 nor aarch64. NotFound: an image without a program to tell.
[[nodiscard]] Result<AuditMachine> audit_machine(const host::Host& host);

struct AuditConfig {
    /// Unit file that loads rules at boot; empty: none does, then there are no rules.
    std::string loaded_by;
    /// What it makes them from: /etc/audit/rules.d (augenrules) or a file (auditctl -R).
    std::string source;
    AuditMachine machine = AuditMachine::X86_64;
    AuditState state;

    static Result<AuditConfig> read(Facts& facts);
};

} // namespace hostward::hardening
