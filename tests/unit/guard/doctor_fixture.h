// SPDX-License-Identifier: Apache-2.0
// A host about which the doctor has nothing to say, to be broken by each test.
#pragma once

#include "agent/guard/doctor.h"
#include "agent/guard/rows.h"
#include "tests/unit/guard/fake_resolver.h"

#include <map>
#include <string>

namespace hostward::guard {

inline config::Rule unit_rule(const std::string& name)
{
    config::Rule out = rule(name);
    out.units = list({"agent.service"});
    return out;
}

inline void set_policy(DoctorFacts& facts, const config::GuardConfig& config)
{
    FakeResolver resolver;
    facts.policy.config = config;
    facts.policy.compiled = must_compile(config, resolver);
    const auto& digest = facts.policy.compiled->head.policy_digest;
    if (facts.run.status) {
        static constexpr auto kDigits = "0123456789abcdef";
        facts.run.status->policy_digest.clear();
        for (const unsigned char byte : digest) {
            facts.run.status->policy_digest += {kDigits[byte >> 4], kDigits[byte & 15]};
        }
    }
}

/// Every layer attached, the agent running.
inline GuardStatus healthy_status()
{
    GuardStatus status;
    status.loaded = true;
    status.agent_running = true;
    status.agent_pid = 7;
    for (const auto* name : {"connect", "egress", "tc", "lsm", "seal"}) {
        status.layers.push_back({name, LayerState::On, "", {}});
    }
    status.lost = {{"flows_full", 0}, {"scratch_busy", 0}, {"cache_full", 9}, {"ring_full", 9}};
    return status;
}

inline std::map<std::string, Trial> working_trials()
{
    std::map<std::string, Trial> trials;
    for (const auto* name : {trial::kConnect4, trial::kConnect6, trial::kSendmsg4, trial::kSendmsg6, trial::kEgress,
                             trial::kTags, trial::kEvents, trial::kTc, trial::kExeFacts}) {
        trials[name] = {Trial::Outcome::Works, ""};
    }
    for (const auto& row : rows()) {
        for (const auto program : row.programs) {
            if (!program.empty()) {
                trials[std::string(program)] = {Trial::Outcome::Works, ""};
            }
        }
    }
    return trials;
}

inline DoctorFacts healthy()
{
    DoctorFacts facts;
    facts.kernel.release = "6.1.0-10-cloud-amd64";
    facts.kernel.machine = "x86_64";
    facts.kernel.capabilities = ~std::uint64_t{0};
    facts.kernel.memlock = ~std::uint64_t{0};
    facts.kernel.has_btf = true;
    facts.kernel.lockdown = std::string("none");
    facts.kernel.security_modules = std::vector<std::string>{"lockdown", "capability", "bpf"};
    facts.kernel.has_bpf_lsm = true;
    facts.place.cgroup2_mounts = std::vector<std::string>{"/sys/fs/cgroup"};
    facts.place.cgroup1_mounts = std::vector<std::string>{};
    facts.place.init_cgroup = std::string("/init.scope");
    facts.place.pins_on_bpffs = true;
    facts.place.pin_dir = "/sys/fs/bpf/hostward";
    facts.trials = working_trials();
    facts.policy.path = "/etc/hostward/hostward.toml";
    facts.policy.age_s = std::uint64_t{0};
    facts.policy.users = std::set<std::string>{"root", "alice", "bob"};
    facts.policy.groups = std::set<std::string>{"root", "adm"};
    facts.policy.units = std::vector<std::string>{"agent.service", "getty@.service"};
    facts.run.status = healthy_status();
    facts.run.missing_pins = std::vector<std::string>{};
    facts.run.other_pins = std::vector<std::string>{};
    facts.run.stale_facts = std::vector<std::string>{};
    facts.run.sockets = std::vector<OpenSocket>{};
    facts.boot.is_systemd = true;
    facts.boot.unit =
        host::UnitFile{true, false, true, "/etc/x", {"network-pre.target", "cloud-init-local.service"}, false};
    facts.boot.loaded_us = std::uint64_t{1'000'000};
    facts.boot.network_pre_us = std::uint64_t{2'000'000};
    auto config = policy_of({unit_rule("agent")});
    config.seal_until_reboot = true;
    set_policy(facts, config);
    return facts;
}

/// What is not "ok": id -> severity.
inline std::map<std::string, Severity> complaints(const DoctorFacts& facts)
{
    std::map<std::string, Severity> found;
    for (const auto& finding : diagnose(facts)) {
        if (finding.severity != Severity::Ok) {
            found[finding.id] = finding.severity;
        }
    }
    return found;
}

inline Finding finding_of(const DoctorFacts& facts, const std::string& id)
{
    for (auto& finding : diagnose(facts)) {
        if (finding.id == id) {
            return finding;
        }
    }
    ADD_FAILURE() << "no finding " << id;
    return {};
}

using Complaints = std::map<std::string, Severity>;

} // namespace hostward::guard
