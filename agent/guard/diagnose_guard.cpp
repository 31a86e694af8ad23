// SPDX-License-Identifier: Apache-2.0
// The guard that is loaded here, and how it came to be loaded.
#include "agent/base/text.h"
#include "agent/guard/diagnose_checks.h"
#include "agent/guard/rows.h"

#include <algorithm>
#include <array>

namespace hostward::guard {

namespace {

constexpr std::array kFirst{"network-pre.target", "cloud-init-local.service"};
constexpr const char* kUnit = "hostward-guard.service";
constexpr std::size_t kListedMax = 8; // sockets named one by one

Answer absent() { return {Severity::Info, "no guard is loaded, so there is nothing to compare", {}, {}, {}}; }

/// Answers the questions that need a loaded guard, where there is none; nothing if there is one.
std::optional<Answer> without_guard(const DoctorFacts& facts, const char* what)
{
    if (!facts.run.status) {
        return unknown(what, facts.run.status.error().text, facts.kernel);
    }
    return facts.run.status->loaded ? std::nullopt : std::optional(absent());
}

std::string seconds(std::uint64_t us) { return std::to_string(us / 1'000'000) + " s after boot"; }

} // namespace

Answer check_guard_loaded(const DoctorFacts& facts)
{
    if (!facts.run.status) {
        return unknown("whether a guard is loaded", facts.run.status.error().text, facts.kernel);
    }
    if (facts.run.status->loaded) {
        return {
            Severity::Ok, "a guard is loaded", {"generation " + std::to_string(facts.run.status->generation)}, {}, {}};
    }
    Lines every;
    for (const auto& row : rows()) {
        every.emplace_back(row.id);
    }
    return {Severity::Error,
            "no guard is loaded: every local user can reach the metadata service",
            {"no pins in " + quote(facts.place.pin_dir)},
            {"systemctl enable --now hostward-guard.service, or hostward guard load"},
            every};
}

Answer check_hooks_attached(const DoctorFacts& facts)
{
    if (auto early = without_guard(facts, "whether the hooks are attached")) {
        return *early;
    }
    Answer answer{Severity::Ok, "every hook that this kernel takes is attached", {}, {}, {}};
    for (const auto& layer : facts.run.status->layers) {
        // What the kernel lacks is said by the layer's own finding; a seal that is off by the seal's.
        if (layer.state == LayerState::On || layer.state == LayerState::Unavailable || layer.name == "seal") {
            continue;
        }
        const bool vital = layer.name == "connect" || layer.name == "egress";
        answer.severity = std::max(answer.severity, vital ? Severity::Error : Severity::Warning);
        answer.evidence.push_back(layer.name + ": " + layer.why);
        const Lines open = rows_of(layer.name);
        answer.open.insert(answer.open.end(), open.begin(), open.end());
    }
    if (answer.severity != Severity::Ok) {
        answer.title = "hooks are missing that the guard attaches when it loads";
        answer.remedy = {
            "systemctl restart hostward-guard.service, or hostward guard load: both attach what is missing"};
    }
    return answer;
}

Answer check_pins(const DoctorFacts& facts)
{
    if (auto early = without_guard(facts, "whether the pins are complete")) {
        return *early;
    }
    const auto& run = facts.run;
    if (!run.missing_pins || !run.other_pins) {
        return unknown("whether the pins are complete",
                       run.missing_pins ? run.other_pins.error().text : run.missing_pins.error().text, facts.kernel);
    }
    if (!run.missing_pins->empty()) {
        return {Severity::Error,
                "pins of the guard are gone: what they held ends with the agent",
                {joined(*run.missing_pins)},
                {"hostward guard unload, then load it again"},
                {}};
    }
    if (!run.other_pins->empty()) {
        return {Severity::Warning,
                "pins of another version or of an unfinished load lie beside the guard's",
                {joined(*run.other_pins)},
                {"systemctl restart hostward-guard.service: it removes them"},
                {}};
    }
    return {Severity::Ok, "the pins are complete", {}, {}, {}};
}

Answer check_agent(const DoctorFacts& facts)
{
    if (auto early = without_guard(facts, "whether the agent runs")) {
        return *early;
    }
    if (facts.run.status->agent_running) {
        return {Severity::Ok, "the agent runs", {"pid " + std::to_string(facts.run.status->agent_pid)}, {}, {}};
    }
    return {
        Severity::Warning,
        "the agent does not run: enforced and counted, not listed; upgraded programs and new accounts and interfaces "
        "are not followed",
        {},
        {"systemctl start hostward-guard.service"},
        {}};
}

Answer check_policy_in_force(const DoctorFacts& facts)
{
    if (auto early = without_guard(facts, "whether the policy on disk is in force")) {
        return *early;
    }
    if (!facts.policy.compiled) {
        return unknown("whether the policy on disk is in force", facts.policy.compiled.error().text, facts.kernel);
    }
    const auto& head = facts.policy.compiled->head;
    const std::string on_disk = hex(static_cast<const unsigned char*>(head.policy_digest), sizeof(head.policy_digest));
    if (on_disk == facts.run.status->policy_digest) {
        return {Severity::Ok, "the policy on disk is the one in force", {"digest " + on_disk.substr(0, 16)}, {}, {}};
    }
    return {Severity::Warning,
            "the policy on disk is not the one in force",
            {"on disk " + on_disk.substr(0, 16) + ", in force " + facts.run.status->policy_digest.substr(0, 16)},
            {"systemctl reload hostward-guard.service, or hostward guard load"},
            {}};
}

Answer check_resolver(const DoctorFacts& facts)
{
    if (auto early = without_guard(facts, "whether names still mean what they meant")) {
        return *early;
    }
    if (!facts.run.stale_facts) {
        return unknown("whether names still mean what they meant", facts.run.stale_facts.error().text, facts.kernel);
    }
    if (facts.run.stale_facts->empty()) {
        return {Severity::Ok, "users, groups and programs are in the kernel as they are on disk", {}, {}, {}};
    }
    return {
        Severity::Warning,
        "users, groups or programs have changed since the policy was resolved, and nobody followed",
        *facts.run.stale_facts,
        {"systemctl reload hostward-guard.service, or hostward guard load", "see that the agent runs: it follows them"},
        {}};
}

Answer check_events_lost(const DoctorFacts& facts)
{
    if (auto early = without_guard(facts, "whether decisions were not listed")) {
        return *early;
    }
    // The other two cost time and lose nothing.
    Lines lost;
    for (const auto* name : {"flows_full", "scratch_busy"}) {
        const auto count = facts.run.status->lost.find(name);
        if (count != facts.run.status->lost.end() && count->second != 0) {
            lost.push_back(std::string(name) + " " + std::to_string(count->second));
        }
    }
    if (lost.empty()) {
        return {Severity::Ok, "every decision could be listed", {}, {}, {}};
    }
    return {Severity::Warning,
            "decisions were counted and not listed: too many identities at once",
            lost,
            {"look for a flood in hostward guard events; keep the agent running"},
            {}};
}

Answer check_connections(const DoctorFacts& facts)
{
    const auto& sockets = facts.run.sockets;
    if (!sockets) {
        return unknown("who is connected to a guarded address", sockets.error().text, facts.kernel);
    }
    if (sockets->empty()) {
        return {Severity::Ok, "nobody in this network namespace is connected to a guarded address", {}, {}, {}};
    }
    Answer answer{Severity::Info,
                  "sockets of this network namespace that are connected to guarded addresses: " +
                      std::to_string(sockets->size()),
                  {},
                  {"a policy that does not allow them ends them when it is loaded"},
                  {}};
    for (std::size_t i = 0; i < std::min(sockets->size(), kListedMax); ++i) {
        const auto& socket = (*sockets)[i];
        answer.evidence.push_back(socket.peer + " uid " + std::to_string(socket.uid) + " " +
                                  (socket.process.empty() ? "process unknown" : socket.process));
    }
    return answer;
}

Answer check_boot_unit(const DoctorFacts& facts)
{
    const auto& boot = facts.boot;
    if (!boot.unit) {
        return unknown("whether the guard is loaded at boot", boot.unit.error().text, facts.kernel);
    }
    if (!boot.is_systemd) {
        return unknown("whether the guard is loaded at boot", "process 1 is not systemd", facts.kernel);
    }
    if (!boot.unit->is_installed) {
        return {Severity::Warning,
                "hostward-guard.service is not installed: nobody loads the guard at boot",
                {},
                {"install the package, or packaging/systemd/hostward-guard.service"},
                {}};
    }
    if (boot.unit->is_masked) {
        return {Severity::Warning,
                "hostward-guard.service is masked: nobody loads the guard at boot",
                {escape(boot.unit->path)},
                {"systemctl unmask hostward-guard.service && systemctl enable hostward-guard.service"},
                {}};
    }
    if (!boot.unit->is_enabled) {
        return {Severity::Warning,
                "hostward-guard.service is not enabled: nobody loads the guard at boot",
                {escape(boot.unit->path)},
                {"systemctl enable hostward-guard.service"},
                {}};
    }
    return {Severity::Ok, "hostward-guard.service is enabled", {escape(boot.unit->path)}, {}, {}};
}

Answer check_boot_order(const DoctorFacts& facts)
{
    const auto& boot = facts.boot;
    if (!boot.is_systemd || !boot.unit) {
        return unknown("whether the guard comes before the network",
                       boot.unit ? "process 1 is not systemd" : boot.unit.error().text, facts.kernel);
    }
    if (!boot.unit->is_installed || boot.unit->is_masked) {
        return {Severity::Info, "no unit, so it has no place in the boot", {}, {}, {}};
    }
    Lines missing;
    for (const auto* first : kFirst) {
        if (std::ranges::find(boot.unit->before, first) == boot.unit->before.end()) {
            missing.push_back(std::string("Before=") + first);
        }
    }
    if (boot.unit->has_default_dependencies) {
        missing.emplace_back(
            "DefaultDependencies=no"); // else it waits for sysinit.target, which cloud-init comes before
    }
    if (missing.empty()) {
        return {Severity::Ok, "the unit is ordered before the network and cloud-init's first stage", {}, {}, {}};
    }
    return {Severity::Warning,
            std::string(kUnit) + " is not ordered before everything that could ask",
            {"missing: " + joined(missing)},
            {"systemctl revert hostward-guard.service, or add what is missing in a drop-in"},
            {}};
}

Answer check_boot_before_network(const DoctorFacts& facts)
{
    if (auto early = without_guard(facts, "whether the guard came before the first request of this boot")) {
        return *early;
    }
    const auto& boot = facts.boot;
    const std::string what = "whether the guard came before the first request of this boot";
    if (!boot.loaded_us || !boot.network_pre_us) {
        return unknown(what, boot.loaded_us ? boot.network_pre_us.error().text : boot.loaded_us.error().text,
                       facts.kernel);
    }
    if (*boot.network_pre_us == 0) {
        return unknown(what, "network-pre.target was not reached in this boot", facts.kernel);
    }
    const Lines seen{"programs loaded " + seconds(*boot.loaded_us) + ", network-pre.target reached " +
                     seconds(*boot.network_pre_us)};
    if (*boot.loaded_us <= *boot.network_pre_us) {
        return {Severity::Ok, "the guard was there before the network of this boot", seen, {}, {}};
    }
    return {
        Severity::Warning,
        "the programs in force were loaded after the network came up: a request before that was not decided, and its "
        "credentials stay valid until they expire",
        seen,
        {"reboot once, if this is the boot in which the guard was installed or upgraded",
         "see boot-unit and boot-order"},
        {}};
}

} // namespace hostward::guard
