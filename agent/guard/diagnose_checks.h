// SPDX-License-Identifier: Apache-2.0
// The questions of the doctor, one function each. Internal to diagnose*.cpp.
#pragma once

#include "agent/guard/doctor.h"

#include <string>
#include <string_view>
#include <vector>

namespace hostward::guard {

/// A finding without its id and group.
struct Answer {
    Severity severity = Severity::CannotTell;
    std::string title;
    std::vector<std::string> evidence;
    std::vector<std::string> remedy;
    std::vector<std::string> open;
};

using Lines = std::vector<std::string>;

/// Nobody could look: the answer that is never "it is fine". `what` completes "cannot tell ...".
[[nodiscard]] Answer unknown(const std::string& what, const std::string& why, const KernelFacts& kernel);

/// The policy where it could be read, null otherwise.
[[nodiscard]] const config::GuardConfig* policy_of(const DoctorFacts& facts);
/// The state of a guard that is loaded, null otherwise.
[[nodiscard]] const GuardStatus* loaded_status(const DoctorFacts& facts);
/// The trial of that name; one that is missing was not tried.
[[nodiscard]] Trial trial_of(const DoctorFacts& facts, const std::string& name);

/// Rows that `layer` closes. `missing`: only those that need one of these programs; empty: all.
[[nodiscard]] Lines rows_of(std::string_view layer, const Lines& missing = {});

[[nodiscard]] std::string joined(const Lines& words, const std::string& separator = ", ");

/// Kernel release at least MAJOR.MINOR; nothing if the text is not understood.
[[nodiscard]] std::optional<bool> is_at_least(const std::string& release, unsigned major, unsigned minor);

/// What to do so that the kernel runs BPF security programs.
[[nodiscard]] Lines lsm_remedy(const KernelFacts& kernel);

// kernel
[[nodiscard]] Answer check_kernel_version(const DoctorFacts& facts);
[[nodiscard]] Answer check_capabilities(const DoctorFacts& facts);
[[nodiscard]] Answer check_btf(const DoctorFacts& facts);
[[nodiscard]] Answer check_lockdown(const DoctorFacts& facts);
[[nodiscard]] Answer check_memlock(const DoctorFacts& facts);
[[nodiscard]] Answer check_bpffs(const DoctorFacts& facts);
[[nodiscard]] Answer check_cgroup2(const DoctorFacts& facts);
[[nodiscard]] Answer check_cgroup_hybrid(const DoctorFacts& facts);
[[nodiscard]] Answer check_cgroup_units(const DoctorFacts& facts);
[[nodiscard]] Answer check_lsm_list(const DoctorFacts& facts);
// layers
[[nodiscard]] Answer check_layer_connect(const DoctorFacts& facts);
[[nodiscard]] Answer check_layer_egress(const DoctorFacts& facts);
[[nodiscard]] Answer check_socket_tags(const DoctorFacts& facts);
[[nodiscard]] Answer check_event_ring(const DoctorFacts& facts);
[[nodiscard]] Answer check_exe_facts(const DoctorFacts& facts);
[[nodiscard]] Answer check_layer_tc(const DoctorFacts& facts);
[[nodiscard]] Answer check_layer_lsm(const DoctorFacts& facts);
[[nodiscard]] Answer check_layer_seal(const DoctorFacts& facts);
// guard
[[nodiscard]] Answer check_guard_loaded(const DoctorFacts& facts);
[[nodiscard]] Answer check_hooks_attached(const DoctorFacts& facts);
[[nodiscard]] Answer check_pins(const DoctorFacts& facts);
[[nodiscard]] Answer check_agent(const DoctorFacts& facts);
[[nodiscard]] Answer check_policy_in_force(const DoctorFacts& facts);
[[nodiscard]] Answer check_resolver(const DoctorFacts& facts);
[[nodiscard]] Answer check_events_lost(const DoctorFacts& facts);
[[nodiscard]] Answer check_connections(const DoctorFacts& facts);
// policy
[[nodiscard]] Answer check_policy_file(const DoctorFacts& facts);
[[nodiscard]] Answer check_audit_mode(const DoctorFacts& facts);
[[nodiscard]] Answer check_default_allow(const DoctorFacts& facts);
[[nodiscard]] Answer check_forwarded_allow(const DoctorFacts& facts);
[[nodiscard]] Answer check_bypass_sockets_allow(const DoctorFacts& facts);
[[nodiscard]] Answer check_seal(const DoctorFacts& facts);
[[nodiscard]] Answer check_rule_root_only(const DoctorFacts& facts);
[[nodiscard]] Answer check_rule_interpreter(const DoctorFacts& facts);
[[nodiscard]] Answer check_rule_writable_exe(const DoctorFacts& facts);
[[nodiscard]] Answer check_rule_user_manager(const DoctorFacts& facts);
[[nodiscard]] Answer check_rule_containers(const DoctorFacts& facts);
[[nodiscard]] Answer check_rule_matches_nothing(const DoctorFacts& facts);
[[nodiscard]] Answer check_rule_shadowed(const DoctorFacts& facts);
// boot
[[nodiscard]] Answer check_boot_unit(const DoctorFacts& facts);
[[nodiscard]] Answer check_boot_order(const DoctorFacts& facts);
[[nodiscard]] Answer check_boot_before_network(const DoctorFacts& facts);

} // namespace hostward::guard
