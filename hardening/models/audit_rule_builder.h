// SPDX-License-Identifier: Apache-2.0
// A rule while auditctl reads the options of its line. Every function gives back why it is refused; empty: taken.
// Inside hardening/models only.
#pragma once

#include "hardening/models/audit_line.h"

#include <string>
#include <string_view>

namespace hostward::hardening {

class AuditRuleBuilder {
public:
    explicit AuditRuleBuilder(const AuditSurroundings& surroundings) : surroundings_(surroundings) {}

    /// -a, -A, -d with `always,exit` or `exit,always`.
    [[nodiscard]] std::string set_list(std::string_view text);
    /// -S, names or numbers with commas between them.
    [[nodiscard]] std::string add_syscalls(std::string_view text);
    /// -F
    [[nodiscard]] std::string add_field(std::string_view text);
    /// -C
    [[nodiscard]] std::string add_comparison(std::string_view text);
    /// -w, -W
    [[nodiscard]] std::string set_watch(std::string path);
    /// -p
    [[nodiscard]] std::string set_permissions(std::string_view letters);
    /// -k
    [[nodiscard]] std::string add_key(std::string_view key);

    [[nodiscard]] bool has_list() const { return has_list_; }
    [[nodiscard]] bool has_syscalls() const { return has_syscalls_; }

    /// The rule as it goes to the kernel, or why the kernel would not take it.
    [[nodiscard]] std::string finish(AuditRule& out) const;

private:
    [[nodiscard]] std::string read_value(AuditField& field, const std::string& value);
    [[nodiscard]] std::string read_arch(AuditField& field, const std::string& value);
    [[nodiscard]] std::string read_text(AuditField& field, const std::string& value);
    [[nodiscard]] std::string add_one_syscall(std::string_view name);
    [[nodiscard]] std::string append_key(std::string_view key);

    const AuditSurroundings& surroundings_;
    AuditRule rule_;
    std::string key_;
    std::uint32_t arch_ = 0; ///< 0: not given
    bool has_list_ = false;
    bool has_syscalls_ = false;
    bool may_have_key_ = false; ///< something that a key can be about came before
};

} // namespace hostward::hardening
