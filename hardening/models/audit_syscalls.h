// SPDX-License-Identifier: Apache-2.0
// System calls by the names that auditctl knows, for the machines this agent runs on and their 32-bit programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hostward::hardening {

enum class AuditMachine { X86_64, Aarch64 };

/// What `-F arch=` holds in the kernel: AUDIT_ARCH_*.
inline constexpr std::uint32_t kArchX86_64 = 0xC000003E;
inline constexpr std::uint32_t kArchI386 = 0x40000003;
inline constexpr std::uint32_t kArchAarch64 = 0xC00000B7;
inline constexpr std::uint32_t kArchArm = 0x40000028;

/// `b64`, `b32` or a machine's name, on this machine. Nothing: auditctl refuses it there.
[[nodiscard]] std::optional<std::uint32_t> audit_arch(AuditMachine machine, std::string_view name);
[[nodiscard]] std::uint32_t audit_arch(AuditMachine machine, bool is_64_bit);

/// Nothing: this architecture has no such call.
[[nodiscard]] std::optional<std::uint32_t> syscall_number(std::uint32_t arch, std::string_view name);

/// Its number as text where it has no name.
[[nodiscard]] std::string syscall_name(std::uint32_t arch, std::uint32_t number);

} // namespace hostward::hardening
