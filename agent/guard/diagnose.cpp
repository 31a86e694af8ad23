// SPDX-License-Identifier: Apache-2.0
#include "agent/base/text.h"
#include "agent/guard/diagnose_checks.h"
#include "agent/guard/rows.h"

#include <algorithm>
#include <array>

namespace hostward::guard {

namespace {

struct Check {
    const char* id;
    const char* group;
    Answer (*ask)(const DoctorFacts& facts);
};

// docs/doctor.md has the same ids in the same order (checked by tests/lint).
constexpr std::array kChecks{
    Check{"kernel-version", "kernel", check_kernel_version},
    Check{"capabilities", "kernel", check_capabilities},
    Check{"btf", "kernel", check_btf},
    Check{"lockdown", "kernel", check_lockdown},
    Check{"memlock", "kernel", check_memlock},
    Check{"bpffs", "kernel", check_bpffs},
    Check{"cgroup2", "kernel", check_cgroup2},
    Check{"cgroup-hybrid", "kernel", check_cgroup_hybrid},
    Check{"cgroup-units", "kernel", check_cgroup_units},
    Check{"lsm-list", "kernel", check_lsm_list},
    Check{"layer-connect", "layers", check_layer_connect},
    Check{"layer-egress", "layers", check_layer_egress},
    Check{"socket-tags", "layers", check_socket_tags},
    Check{"event-ring", "layers", check_event_ring},
    Check{"exe-facts", "layers", check_exe_facts},
    Check{"layer-tc", "layers", check_layer_tc},
    Check{"layer-lsm", "layers", check_layer_lsm},
    Check{"layer-seal", "layers", check_layer_seal},
    Check{"guard-loaded", "guard", check_guard_loaded},
    Check{"hooks-attached", "guard", check_hooks_attached},
    Check{"pins", "guard", check_pins},
    Check{"agent", "guard", check_agent},
    Check{"policy-in-force", "guard", check_policy_in_force},
    Check{"resolver", "guard", check_resolver},
    Check{"events-lost", "guard", check_events_lost},
    Check{"connections", "guard", check_connections},
    Check{"policy-file", "policy", check_policy_file},
    Check{"audit-mode", "policy", check_audit_mode},
    Check{"default-allow", "policy", check_default_allow},
    Check{"forwarded-allow", "policy", check_forwarded_allow},
    Check{"bypass-sockets-allow", "policy", check_bypass_sockets_allow},
    Check{"seal", "policy", check_seal},
    Check{"rule-root-only", "policy", check_rule_root_only},
    Check{"rule-interpreter", "policy", check_rule_interpreter},
    Check{"rule-writable-exe", "policy", check_rule_writable_exe},
    Check{"rule-user-manager", "policy", check_rule_user_manager},
    Check{"rule-containers", "policy", check_rule_containers},
    Check{"rule-matches-nothing", "policy", check_rule_matches_nothing},
    Check{"rule-shadowed", "policy", check_rule_shadowed},
    Check{"boot-unit", "boot", check_boot_unit},
    Check{"boot-order", "boot", check_boot_order},
    Check{"boot-before-network", "boot", check_boot_before_network},
};

bool needs_one_of(const Row& row, const Lines& missing)
{
    if (missing.empty() || row.programs == decltype(row.programs){}) {
        return true;
    }
    return std::ranges::any_of(missing, [&](const std::string& program) {
        return std::ranges::find(row.programs, program) != row.programs.end();
    });
}

} // namespace

const char* severity_text(Severity severity)
{
    switch (severity) {
    case Severity::Ok: return "ok";
    case Severity::Info: return "info";
    case Severity::Warning: return "warning";
    case Severity::CannotTell: return "cannot-tell";
    case Severity::Error: return "error";
    }
    return "cannot-tell";
}

std::vector<Finding> diagnose(const DoctorFacts& facts)
{
    std::vector<Finding> findings;
    for (const auto& check : kChecks) {
        Answer answer = check.ask(facts);
        findings.push_back({check.id, check.group, answer.severity, std::move(answer.title), std::move(answer.evidence),
                            std::move(answer.open), std::move(answer.remedy)});
    }
    return findings;
}

Severity worst_of(const std::vector<Finding>& findings)
{
    const auto worst = std::ranges::max_element(findings, {}, &Finding::severity);
    return worst == findings.end() ? Severity::Ok : worst->severity;
}

Answer unknown(const std::string& what, const std::string& why, const KernelFacts& kernel)
{
    Lines remedy;
    if (kernel.uid != 0) {
        remedy.emplace_back("run hostward guard doctor as root");
    }
    return {Severity::CannotTell, "cannot tell " + what, {why}, remedy, {}};
}

const config::GuardConfig* policy_of(const DoctorFacts& facts)
{
    return facts.policy.config ? &*facts.policy.config : nullptr;
}

const GuardStatus* loaded_status(const DoctorFacts& facts)
{
    return facts.run.status && facts.run.status->loaded ? &*facts.run.status : nullptr;
}

Trial trial_of(const DoctorFacts& facts, const std::string& name)
{
    const auto found = facts.trials.find(name);
    return found == facts.trials.end() ? Trial{Trial::Outcome::Untried, not_examined().text} : found->second;
}

Lines rows_of(std::string_view layer, const Lines& missing)
{
    Lines ids;
    for (const auto& row : rows()) {
        if (row.layer == layer && needs_one_of(row, missing)) {
            ids.emplace_back(row.id);
        }
    }
    return ids;
}

std::string joined(const Lines& words, const std::string& separator)
{
    std::string text;
    for (const auto& word : words) {
        text += (text.empty() ? "" : separator) + word;
    }
    return text;
}

std::optional<bool> is_at_least(const std::string& release, unsigned major, unsigned minor)
{
    const auto parts = split(release, '.');
    const auto have_major = parse_number<unsigned>(parts[0]);
    const auto digits =
        parts.size() < 2 ? std::string_view() : parts[1].substr(0, parts[1].find_first_not_of("0123456789"));
    const auto have_minor = parse_number<unsigned>(digits);
    if (!have_major || !have_minor) {
        return std::nullopt;
    }
    return *have_major > major || (*have_major == major && *have_minor >= minor);
}

} // namespace hostward::guard
