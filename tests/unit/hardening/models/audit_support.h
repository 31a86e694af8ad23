// SPDX-License-Identifier: Apache-2.0
// Rules loaded on a machine that exists in the tests only.
#pragma once

#include "hardening/models/audit_load.h"
#include "hardening/models/augenrules.h"

#include <linux/audit.h>

#include <string>
#include <vector>

namespace hostward::hardening {

inline AuditSurroundings surroundings(AuditMachine machine = AuditMachine::X86_64)
{
    AuditSurroundings out;
    out.machine = machine;
    out.is_directory = [](const std::string& path) { return path == "/etc/sudoers.d" || path == "/etc"; };
    out.may_exist = [](const std::string& path) { return !path.starts_with("/nowhere"); };
    out.uid_of = [](std::string_view name) { return name == "root" ? std::optional(0U) : std::nullopt; };
    out.gid_of = out.uid_of;
    return out;
}

inline AuditState load(const std::string& text, AuditMachine machine = AuditMachine::X86_64)
{
    return load_audit_lines(auditctl_lines({"f", text}), surroundings(machine));
}

/// Of the rules that were loaded, in order.
inline std::vector<std::string> keys(const AuditState& state)
{
    std::vector<std::string> out;
    for (const auto& rule : state.rules) {
        const auto* key = rule.find(AUDIT_FILTERKEY);
        out.push_back(key == nullptr ? "" : key->text);
    }
    return out;
}

} // namespace hostward::hardening
