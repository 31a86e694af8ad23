// SPDX-License-Identifier: Apache-2.0
// System calls made by another process because we say so: ptrace, x86-64 and arm64.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace attack {

/// A traced process that stands still. Code at its program counter is overwritten; it is of no use afterwards.
class Puppet {
public:
    /// Prepares a process that we trace and that is stopped. Nothing: this architecture is not supported.
    [[nodiscard]] static std::optional<Puppet> take(pid_t pid);

    /// Result of the system call in the process: a value or a negative errno.
    [[nodiscard]] std::int64_t call(std::int64_t number, std::array<std::uint64_t, 4> arguments) const;

    /// Memory below the stack that calls may use.
    [[nodiscard]] std::uint64_t scratch() const { return scratch_; }
    void write(std::uint64_t address, std::span<const unsigned char> bytes) const;
    void read(std::uint64_t address, std::span<unsigned char> bytes) const;

private:
    Puppet(pid_t pid, std::uint64_t code, std::uint64_t scratch) : pid_(pid), code_(code), scratch_(scratch) {}

    pid_t pid_;
    std::uint64_t code_;
    std::uint64_t scratch_;
};

} // namespace attack
