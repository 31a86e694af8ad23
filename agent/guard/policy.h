// SPDX-License-Identifier: Apache-2.0
// Policy: the typed configuration compiled to the kernel's tables. Pure; the world is asked through Resolver.
#pragma once

#include "agent/base/result.h"
#include "agent/config/guard_config.h"
#include "ebpf/abi/guard.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hostward::guard {

/// A program file as the kernel knows it.
struct ExeFact {
    std::uint64_t inode = 0;
    std::uint32_t device = 0; ///< kernel encoding, see hw_identity.exe_device
    std::uint32_t generation = 0;
};

/// What is wrong with a program file that a rule names, beyond not existing.
struct ExeInfo {
    std::optional<ExeFact> fact; ///< none: does not exist (yet)
    std::string writable_by;     ///< not empty: why a non-root user can replace it, for the error text
    bool interpreter = false;    ///< a script interpreter or a shell: alone it identifies nothing
};

/// The door to the world for names. The real one is agent/guard/resolver.h, tests have a fake one.
class Resolver {
public:
    virtual ~Resolver() = default;
    [[nodiscard]] virtual std::optional<std::uint32_t> user(const std::string& name) = 0;
    [[nodiscard]] virtual std::optional<std::uint32_t> group(const std::string& name) = 0;
    [[nodiscard]] virtual Result<ExeInfo> exe(const std::string& path) = 0;
};

/// Ordering for table keys (bytewise), so that compiled policies compare and print the same everywhere.
struct KeyLess {
    bool operator()(const hw_fact_key& a, const hw_fact_key& b) const;
    bool operator()(const hw_name_key& a, const hw_name_key& b) const;
};

/// One policy, ready for the kernel. head.generation, head.root_cgroup, the namespaces and head.counter are
/// filled by the loader, everything else by compile().
struct CompiledPolicy {
    hw_head head{};
    std::map<hw_fact_key, hw_fact, KeyLess> facts;
    std::map<hw_name_key, hw_name, KeyLess> names;
    std::uint64_t filter[4] = {};            ///< hw_control.filter
    std::vector<std::string> rule_names;     ///< by rule index
    std::vector<std::string> endpoint_names; ///< by endpoint index
    std::vector<std::string> warnings;       ///< one line each, with place
    std::vector<std::string> notes;          ///< one line each: rules of presets that match nothing on this host now
    std::vector<std::string> watched_files;  ///< program files named, existing or not: re-resolve when they change
};

/// Compiles and validates completely. All errors are reported, one line each, in Error.text (kind Invalid).
/// Errors: a rule without any condition, duplicate names, unknown endpoint, bad address, relative or
/// non-root-writable exe, a bound of abi/guard.h exceeded. Warnings: a name or file that does not exist (the
/// rule cannot match through it until it does), `exe` alone on an interpreter, a deny by `exe` alone, a unit pattern
/// that takes in a user's own service manager.
///
/// Presets are written for hosts that differ, so in their rules a name that does not exist is no warning: a rule
/// that is left without any is a note, and likewise one whose endpoints the host does not have. A program file there
/// that cannot be trusted or looked at is a warning, and the rule cannot match through it.
[[nodiscard]] Result<CompiledPolicy> compile(const config::GuardConfig& config, Resolver& resolver);

/// One line about CompiledPolicy.notes, where listing all of them would be too much; empty if there are none.
[[nodiscard]] std::string notes_summary(const std::vector<std::string>& notes);

} // namespace hostward::guard
