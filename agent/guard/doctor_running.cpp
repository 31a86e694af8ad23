// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/doctor_running.h"

#include "agent/base/text.h"
#include "agent/base/unique_fd.h"
#include "agent/guard/bpf_objects.h"
#include "agent/guard/kernel_maps.h"
#include "agent/guard/pins.h"

#include <bpf/bpf.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

namespace hostward::guard {

namespace {

namespace fs = std::filesystem;

constexpr auto kUnit = "hostward-guard.service";
constexpr std::string_view kSocketLink = "socket:[";
constexpr std::uint64_t kNsPerUs = 1000;

struct UnrefBus {
    void operator()(sd_bus* bus) const { ::sd_bus_flush_close_unref(bus); }
};

/// What the policy now says about accounts and programs: key -> rules.
using Facts = std::map<hw_fact_key, hw_fact, KeyLess>;

bool is_resolved(const hw_fact_key& key)
{
    return key.kind == HW_FACT_USER || key.kind == HW_FACT_GROUP || key.kind == HW_FACT_EXE;
}

/// The facts of the slot in use that stand for names.
Result<Facts> facts_in_force(const KernelMaps& maps)
{
    TRY_ASSIGN(const hw_control control, maps.read<hw_control>(MapId::Control));
    TRY_ASSIGN(const auto id, maps.read<std::uint32_t>(MapId::Facts, control.active & 1));
    const UniqueFd table(::bpf_map_get_fd_by_id(id));
    if (!table) {
        return system_error(errno, "cannot open the policy table in use");
    }
    Facts found;
    hw_fact_key key{};
    const hw_fact_key* previous = nullptr;
    // Bounded by the table: it grows by cgroups that the programs remember, never beyond its size.
    constexpr std::size_t kKeysMax = 1U << 20;
    for (std::size_t i = 0; i < kKeysMax && ::bpf_map_get_next_key(table.get(), previous, &key) == 0; ++i) {
        hw_fact fact{};
        if (is_resolved(key) && ::bpf_map_lookup_elem(table.get(), &key, &fact) == 0) {
            found.emplace(key, fact);
        }
        previous = &key;
    }
    return found;
}

std::string first_rule(const hw_fact& fact, const CompiledPolicy& policy)
{
    for (std::size_t rule = 0; rule < policy.rule_names.size(); ++rule) {
        if (((fact.rules[rule / 64] >> (rule % 64)) & 1U) != 0) {
            return "rule " + quote(policy.rule_names[rule]);
        }
    }
    return "a rule";
}

std::string fact_text(const hw_fact_key& key)
{
    if (key.kind == HW_FACT_EXE) {
        return "program with inode " + std::to_string(key.a);
    }
    return (key.kind == HW_FACT_USER ? "user " : "group ") + std::to_string(key.a);
}

/// What differs between the kernel's tables and the policy as it resolves now.
std::vector<std::string> differences(const Facts& in_force, const CompiledPolicy& now)
{
    std::vector<std::string> lines;
    for (const auto& [key, fact] : now.facts) {
        const auto known = in_force.find(key);
        const bool same =
            known != in_force.end() && std::memcmp(&known->second.rules, &fact.rules, sizeof(fact.rules)) == 0;
        if (is_resolved(key) && !same) {
            lines.push_back(first_rule(fact, now) + ": " + fact_text(key) + " is not in the kernel's tables");
        }
    }
    for (const auto& [key, fact] : in_force) {
        if (!now.facts.contains(key)) {
            lines.push_back(first_rule(fact, now) + ": " + fact_text(key) +
                            " is in the kernel's tables, and nobody is it now");
        }
    }
    return lines;
}

Result<std::vector<std::string>> stale_facts(const std::string& directory, const PolicyFacts& policy)
{
    if (!policy.compiled) {
        return policy.compiled.error();
    }
    TRY_ASSIGN(const KernelMaps maps, KernelMaps::open(directory, true));
    TRY_ASSIGN(const Facts in_force, facts_in_force(maps));
    return differences(in_force, *policy.compiled);
}

/// What a complete set has. The tc programs come together or not at all.
std::vector<std::string> missing_pins(const std::string& directory)
{
    const auto present = list_pins(directory);
    const auto has = [&](const std::string& name) { return std::ranges::find(present, name) != present.end(); };
    std::vector<std::string> missing;
    const auto need = [&](const std::string& name) {
        if (!has(name)) {
            missing.push_back(name);
        }
    };
    for (std::size_t i = 0; i < static_cast<std::size_t>(MapId::Count); ++i) {
        need(std::string("map_") + map_name(static_cast<MapId>(i)));
    }
    for (const auto& program : program_names(ObjectId::Guard)) {
        need("link_" + program);
    }
    const auto& tc = program_names(ObjectId::Tc);
    if (std::ranges::any_of(tc, [&](const std::string& program) { return has("prog_" + program); })) {
        for (const auto& program : tc) {
            need("prog_" + program);
        }
    }
    return missing;
}

/// When the program behind the link was loaded, microseconds after boot.
Result<std::uint64_t> load_time_us(const std::string& link_path)
{
    TRY_ASSIGN(const UniqueFd link, open_pin(link_path));
    bpf_link_info about{};
    std::uint32_t size = sizeof(about);
    if (const int error = ::bpf_obj_get_info_by_fd(link.get(), &about, &size); error < 0) {
        return system_error(-error, "cannot read a link of the guard");
    }
    const UniqueFd program(::bpf_prog_get_fd_by_id(about.prog_id));
    bpf_prog_info info{};
    size = sizeof(info);
    if (!program || ::bpf_obj_get_info_by_fd(program.get(), &info, &size) < 0) {
        return system_error(errno, "cannot read a program of the guard");
    }
    return std::uint64_t{info.load_time} / kNsPerUs;
}

Result<std::uint64_t> oldest_load_us(const std::string& directory)
{
    Result<std::uint64_t> oldest = not_examined();
    for (const auto& program : program_names(ObjectId::Guard)) {
        auto time = load_time_us(directory + "/link_" + program);
        if (!time) {
            return time;
        }
        oldest = oldest ? std::min(*oldest, *time) : *time;
    }
    return oldest;
}

Result<std::uint64_t> network_pre_us()
{
    sd_bus* opened = nullptr;
    const int connected = ::sd_bus_open_system(&opened);
    const std::unique_ptr<sd_bus, UnrefBus> bus(opened);
    if (connected < 0) {
        return system_error(-connected, "cannot ask the service manager");
    }
    std::uint64_t time = 0;
    const int error = ::sd_bus_get_property_trivial(
        bus.get(), "org.freedesktop.systemd1", "/org/freedesktop/systemd1/unit/network_2dpre_2etarget",
        "org.freedesktop.systemd1.Unit", "ActiveEnterTimestampMonotonic", nullptr, 't', &time);
    if (error < 0) {
        return system_error(-error, "the service manager does not say when network-pre.target was reached");
    }
    return time;
}

std::string link_target(const fs::path& path)
{
    std::error_code status;
    return fs::read_symlink(path, status).string();
}

} // namespace

Result<GuardStatus> examine_status(const Options& options)
{
    const PinPaths pins = pin_paths(options.pin_dir);
    struct stat info {};
    if (::stat(pins.current.c_str(), &info) != 0 && errno != ENOENT && errno != ENOTDIR) {
        return system_error(errno, "cannot look at " + quote(pins.current));
    }
    return read_status(options);
}

void examine_pins(const Options& options, const PolicyFacts& policy, RunFacts& facts)
{
    if (!facts.status || !facts.status->loaded) {
        return;
    }
    const PinPaths pins = pin_paths(options.pin_dir);
    facts.missing_pins = missing_pins(pins.current);
    facts.other_pins = other_versions(pins);
    facts.stale_facts = stale_facts(pins.current, policy);
}

BootFacts examine_boot(const Options& options)
{
    BootFacts facts;
    facts.is_systemd = ::sd_booted() > 0;
    facts.unit = host::unit_file("/", kUnit);
    facts.loaded_us = oldest_load_us(pin_paths(options.pin_dir).current);
    facts.network_pre_us =
        facts.is_systemd ? network_pre_us() : Error{ErrorKind::Unsupported, 0, "process 1 is not systemd"};
    return facts;
}

std::map<std::uint32_t, std::string> socket_owners()
{
    std::map<std::uint32_t, std::string> owners;
    std::error_code status;
    for (fs::directory_iterator process("/proc", status), end; !status && process != end; process.increment(status)) {
        const auto pid = parse_number<int>(process->path().filename().string());
        if (!pid) {
            continue;
        }
        std::error_code gone; // the process ended, or is not ours to look at
        for (fs::directory_iterator file(process->path() / "fd", gone); !gone && file != end; file.increment(gone)) {
            std::string target = link_target(file->path());
            if (!target.starts_with(kSocketLink) || !target.ends_with(']')) {
                continue;
            }
            target = target.substr(kSocketLink.size(), target.size() - kSocketLink.size() - 1);
            if (const auto inode = parse_number<std::uint32_t>(target)) {
                owners.emplace(*inode,
                               "pid " + std::to_string(*pid) + " " + escape(link_target(process->path() / "exe")));
            }
        }
    }
    return owners;
}

} // namespace hostward::guard
