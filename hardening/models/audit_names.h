// SPDX-License-Identifier: Apache-2.0
// The words of auditctl(8) and their numbers in the kernel.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hostward::hardening {

/// Names of consecutive numbers, from `first` on, with a blank between them.
struct AuditNames {
    std::uint32_t first = 0;
    std::string_view names;
};

[[nodiscard]] std::optional<std::uint32_t> audit_number(std::span<const AuditNames> table, std::string_view name);
/// The number as text where it has no name.
[[nodiscard]] std::string audit_name(std::span<const AuditNames> table, std::uint32_t number);

/// `auid` -> AUDIT_LOGINUID. Upper and lower case are one, as for auditctl.
[[nodiscard]] std::optional<std::uint32_t> audit_field(std::string_view name);
[[nodiscard]] std::string audit_field_name(std::uint32_t field);

/// `exit` -> AUDIT_FILTER_EXIT.
[[nodiscard]] std::optional<std::uint32_t> audit_list(std::string_view name);
[[nodiscard]] std::string audit_list_name(std::uint32_t list);

/// `SYSCALL` -> 1300.
[[nodiscard]] std::optional<std::uint32_t> audit_message(std::string_view name);

/// `EACCES` or `-EACCES`, as auditctl takes them, with the sign.
[[nodiscard]] std::optional<std::int32_t> audit_errno(std::string_view name);

/// `wa` -> AUDIT_PERM_WRITE | AUDIT_PERM_ATTR. Nothing: another letter, or more than four.
[[nodiscard]] std::optional<std::uint32_t> audit_permissions(std::string_view letters);
[[nodiscard]] std::string audit_permissions_text(std::uint32_t permissions);

/// AUDIT_COMPARE_* of a pair of fields (constants), in either order; nothing: the kernel cannot compare these.
[[nodiscard]] std::optional<std::uint32_t> audit_comparison(std::uint32_t one, std::uint32_t other);

/// `=`, `!=`, ... of an AUDIT_* operator.
[[nodiscard]] std::string_view audit_operator_text(std::uint32_t op);

/// Fields whose value is text: paths, keys, labels.
[[nodiscard]] bool is_audit_text_field(std::uint32_t field);

} // namespace hostward::hardening
