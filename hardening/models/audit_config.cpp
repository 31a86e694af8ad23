// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/audit_config.h"

#include "hardening/models/accounts.h"
#include "hardening/models/augenrules.h"
#include "hardening/models/ini.h"
#include "hardening/models/units.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace hostward::hardening {

namespace {

constexpr std::string_view kFolder = "/etc/audit/rules.d";
constexpr std::string_view kFile = "/etc/audit/audit.rules";
constexpr std::size_t kFilesMax = 2000;

Result<AuditMachine> machine_of(std::uint16_t elf_machine)
{
    if (elf_machine == EM_X86_64) {
        return AuditMachine::X86_64;
    }
    if (elf_machine == EM_AARCH64) {
        return AuditMachine::Aarch64;
    }
    return Error{ErrorKind::Unsupported, 0, "audit rules of this machine's kind are not known"};
}

struct Loading {
    std::string unit;
    bool is_augenrules = false;
    std::string file; ///< of auditctl -R
};

std::string base_name(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

/// What one ExecStart= line loads.
std::optional<Loading> loading_of(std::string_view command)
{
    command.remove_prefix(std::min(command.find_first_not_of("-@:+!|"), command.size()));
    const auto parts = words(command);
    if (parts.empty()) {
        return std::nullopt;
    }
    const auto has = [&](std::string_view word) { return std::ranges::find(parts, word); };
    if (base_name(parts[0]) == "augenrules" && has("--load") != parts.end()) {
        return Loading{"", true, ""};
    }
    const auto option = has("-R");
    if (base_name(parts[0]) == "auditctl" && option != parts.end() && option + 1 != parts.end()) {
        return Loading{"", false, std::string(*(option + 1))};
    }
    return std::nullopt;
}

/// The unit's own file and its drop-ins.
Result<Ini> unit_settings(const host::Host& host, const Units& units, const std::string& name)
{
    Ini ini;
    TRY_ASSIGN(const auto text, host.read(units.path_of(name)));
    parse_systemd_ini(text, units.path_of(name), ini);
    std::map<std::string, std::string> drop_ins; // the first folder that has a name counts
    for (const auto& folder : units.folders) {
        const auto found = folder.drop_ins.find(name + ".d");
        if (found == folder.drop_ins.end()) {
            continue;
        }
        for (const auto& file : found->second) {
            drop_ins.emplace(file, folder.path + "/" + name + ".d/" + file);
        }
    }
    for (const auto& [file, path] : drop_ins) {
        TRY_ASSIGN(const auto more, host::read_optional(host, path));
        parse_systemd_ini(more.value_or(""), path, ini);
    }
    return ini;
}

Result<std::optional<Loading>> loading_of_unit(Facts& facts, const std::string& name)
{
    const auto& units = facts.get<Units>();
    if (!units) {
        return units.error();
    }
    TRY_ASSIGN(const auto state, units->state(facts, name));
    if (state == UnitState::Absent || state == UnitState::Masked || state == UnitState::MaskedRuntime) {
        return std::optional<Loading>();
    }
    TRY_ASSIGN(const auto ini, unit_settings(facts.host(), *units, name));
    for (const auto* key : {"ExecStartPre", "ExecStart", "ExecStartPost"}) {
        for (const auto* entry : ini.list("Service", key)) {
            if (auto loading = loading_of(entry->value)) {
                loading->unit = entry->where.text();
                return loading;
            }
        }
    }
    return std::optional<Loading>();
}

/// Which awk runs augenrules decides what it takes for a blank.
bool awk_knows_blank_class(const host::Host& host)
{
    std::string path = "/usr/bin/awk";
    constexpr int kLinksMax = 8;
    for (int i = 0; i < kLinksMax; ++i) {
        const auto target = host.link_target(path);
        if (!target) {
            break;
        }
        path = target->starts_with('/') ? *target : path.substr(0, path.rfind('/') + 1) + *target;
    }
    return base_name(path) != "mawk";
}

Result<std::vector<AuditLine>> lines_of_folder(const host::Host& host, const std::vector<std::string>& names)
{
    const auto order = augenrules_order(names);
    if (order.size() > kFilesMax) {
        return Error{ErrorKind::Exhausted, 0, "more than " + std::to_string(kFilesMax) + " files of audit rules"};
    }
    std::vector<AuditFile> files;
    for (const auto& name : order) {
        const std::string path = std::string(kFolder) + "/" + name;
        const auto status = host.facts(path);
        if (status && status->type == host::FileType::Directory) {
            continue; // cat cannot read it either
        }
        TRY_ASSIGN(auto text, host::read_optional(host, path));
        files.push_back({path, text.value_or("")});
    }
    return augenrules_lines(files, awk_knows_blank_class(host));
}

Result<std::vector<AuditLine>> lines_of_file(const host::Host& host, const std::string& path)
{
    TRY_ASSIGN(const auto text, host::read_optional(host, path));
    return text ? auditctl_lines({path, *text}) : std::vector<AuditLine>{};
}

/// Without /etc/audit/rules.d augenrules loads the file as it is.
Result<std::vector<AuditLine>> lines_of(const host::Host& host, const Loading& loading, std::string& source)
{
    source = loading.is_augenrules ? std::string(kFolder) : loading.file;
    if (!loading.is_augenrules) {
        return lines_of_file(host, loading.file);
    }
    const auto names = host.list(std::string(kFolder));
    if (!names && names.error().kind == ErrorKind::NotFound) {
        source = kFile;
        return lines_of_file(host, std::string(kFile));
    }
    return names ? lines_of_folder(host, *names) : Result<std::vector<AuditLine>>(names.error());
}

/// Folders that only a running host fills: an image does not say what is in them.
bool is_made_at_boot(const std::string& path)
{
    constexpr std::array<std::string_view, 6> kFolders{"/run", "/var/run", "/tmp", "/proc", "/sys", "/dev"};
    return std::ranges::any_of(kFolders, [&](std::string_view folder) {
        return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
    });
}

AuditSurroundings surroundings_of(Facts& facts, AuditMachine machine)
{
    AuditSurroundings out;
    const auto& host = facts.host();
    out.machine = machine;
    out.is_directory = [&host](const std::string& path) {
        const auto status = host.facts(path);
        return status.ok() && status->type == host::FileType::Directory;
    };
    out.may_exist = [&host](const std::string& path) {
        const auto is_there = host::exists(host, path);
        return !is_there || *is_there || is_made_at_boot(path);
    };
    out.uid_of = [&facts](std::string_view name) -> std::optional<std::uint32_t> {
        const auto& passwd = facts.get<Passwd>();
        const auto* user = passwd ? passwd->find(name) : nullptr;
        return user == nullptr ? std::nullopt : std::optional(user->uid);
    };
    out.gid_of = [&facts](std::string_view name) -> std::optional<std::uint32_t> {
        const auto& groups = facts.get<Groups>();
        const auto* group = groups ? groups->find(name) : nullptr;
        return group == nullptr ? std::nullopt : std::optional(group->gid);
    };
    return out;
}

} // namespace

Result<AuditMachine> audit_machine(const host::Host& host)
{
    if (host.is_running()) {
#if defined(__aarch64__)
        return AuditMachine::Aarch64;
#else
        return AuditMachine::X86_64;
#endif
    }
    for (const auto* path : {"/bin/sh", "/usr/bin/env", "/sbin/auditctl"}) {
        TRY_ASSIGN(const auto text, host::read_optional(host, path));
        Elf64_Ehdr header = {};
        if (text && text->size() >= sizeof(header) && text->starts_with(ELFMAG)) {
            std::memcpy(&header, text->data(), sizeof(header));
            return machine_of(header.e_machine);
        }
    }
    return Error{ErrorKind::NotFound, 0, "no program of the image says for which machine it is"};
}

Result<AuditConfig> AuditConfig::read(Facts& facts)
{
    AuditConfig config;
    std::optional<Loading> loading;
    for (const auto* unit : {"audit-rules.service", "auditd.service"}) {
        if (!loading) {
            TRY_ASSIGN(loading, loading_of_unit(facts, unit));
        }
    }
    if (!loading) {
        return config;
    }
    config.loaded_by = loading->unit;
    TRY_ASSIGN(config.machine, audit_machine(facts.host()));
    TRY_ASSIGN(const auto lines, lines_of(facts.host(), *loading, config.source));
    config.state = load_audit_lines(lines, surroundings_of(facts, config.machine));
    return config;
}

} // namespace hostward::hardening
