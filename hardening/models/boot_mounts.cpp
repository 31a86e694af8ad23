// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/boot_mounts.h"

#include "agent/base/text.h"
#include "hardening/models/conf_files.h"
#include "hardening/models/fstab.h"
#include "hardening/models/ini.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

/// systemd.unit(5): before and after what the generator makes of fstab.
constexpr std::array kFoldersBeforeFstab = {"/etc/systemd/system.control", "/run/systemd/system.control",
                                            "/etc/systemd/system", "/run/systemd/system"};
constexpr std::array kFoldersAfterFstab = {"/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
                                           "/lib/systemd/system"};

std::vector<std::string> all_unit_folders()
{
    std::vector<std::string> folders(kFoldersBeforeFstab.begin(), kFoldersBeforeFstab.end());
    folders.insert(folders.end(), kFoldersAfterFstab.begin(), kFoldersAfterFstab.end());
    return folders;
}

/// A unit file found in one of the folders. Masked ones are found, with no text.
template <typename Folders>
Result<std::optional<ConfFile>> find_unit(const host::Host& host, const Folders& folders, const std::string& unit)
{
    for (const auto* folder : folders) {
        const std::string path = std::string(folder) + "/" + unit;
        TRY_ASSIGN(const bool is_there, host::exists(host, path, host::Links::Keep));
        if (!is_there) {
            continue;
        }
        TRY_ASSIGN(const auto files, conf_file(host, path));
        return std::optional(files.empty() ? ConfFile{path, ""} : files.front());
    }
    return std::optional<ConfFile>{};
}

/// Does a `.wants` or `.requires` folder name the unit?
Result<bool> is_pulled_in(const host::Host& host, const std::string& unit)
{
    for (const auto& folder : all_unit_folders()) {
        TRY_ASSIGN(const auto names, host::list_optional(host, folder));
        for (const auto& name : names) {
            if (!name.ends_with(".wants") && !name.ends_with(".requires")) {
                continue;
            }
            TRY_ASSIGN(const bool is_there, host::exists(host, folder + "/" + name + "/" + unit, host::Links::Keep));
            if (is_there) {
                return true;
            }
        }
    }
    return false;
}

BootMount of_fstab(const FstabEntry& entry) { return {entry.type, entry.options, entry.where}; }

/// Drop-ins apply to units of fstab as well.
Status apply_drop_ins(const host::Host& host, const std::string& unit, BootMount& mount)
{
    std::vector<std::string> folders;
    for (const auto& folder : all_unit_folders()) {
        folders.push_back(folder + "/" + unit + ".d");
    }
    TRY_ASSIGN(const auto files, conf_files(host, folders, ".conf"));
    Ini ini;
    for (const auto& file : files) {
        parse_systemd_ini(file.text, file.path, ini);
    }
    for (const auto& entry : ini.entries) {
        if (entry.section == "Mount" && entry.key == "Options") {
            mount.options = mount_options(entry.value);
            mount.where = entry.where;
        }
        if (entry.section == "Mount" && entry.key == "Type") {
            mount.type = entry.value;
        }
    }
    return success();
}

/// `noauto`: only mounted when somebody asks, or when it is entered.
bool is_mounted_at_boot(const FstabEntry& entry)
{
    const auto has = [&](std::string_view option) {
        return std::ranges::find(entry.options, option) != entry.options.end();
    };
    return !has("noauto") || has("x-systemd.automount");
}

/// Nothing: masked, or nothing pulls it in. An entry of fstab pulls the unit in that takes its place.
Result<std::optional<BootMount>> of_unit(const host::Host& host, const ConfFile& file, const std::string& unit,
                                         const FstabEntry* entry)
{
    Ini ini;
    parse_systemd_ini(file.text, file.path, ini);
    TRY_ASSIGN(const bool is_wanted, is_pulled_in(host, unit));
    if (ini.entries.empty() || (!is_wanted && (entry == nullptr || !is_mounted_at_boot(*entry)))) {
        return std::optional<BootMount>{};
    }
    BootMount mount{"", {}, Origin{file.path, 0}};
    if (const auto* type = ini.find("Mount", "Type")) {
        mount.type = type->value;
    }
    if (const auto* options = ini.find("Mount", "Options")) {
        mount.options = mount_options(options->value);
        mount.where = options->where;
    }
    return std::optional(std::move(mount));
}

/// systemd mounts these in every boot before it reads any unit: mount_setup.c.
std::optional<BootMount> of_systemd(const std::string& point)
{
    if (point == "/dev/shm") {
        return BootMount{"tmpfs", {"nosuid", "nodev", "strictatime", "mode=1777"}, Origin{"systemd's own mounts", 0}};
    }
    if (point == "/run") {
        return BootMount{"tmpfs", {"nosuid", "nodev", "strictatime", "mode=0755"}, Origin{"systemd's own mounts", 0}};
    }
    return std::nullopt;
}

Result<std::optional<BootMount>> find_mount(Facts& facts, const std::string& point, const std::string& unit)
{
    const auto& host = facts.host();
    const auto& fstab = facts.get<Fstab>();
    if (!fstab) {
        return fstab.error();
    }
    const auto* entry = fstab->at(point);
    TRY_ASSIGN(const auto first, find_unit(host, kFoldersBeforeFstab, unit));
    if (first) {
        return of_unit(host, *first, unit, entry);
    }
    if (entry != nullptr) {
        return is_mounted_at_boot(*entry) ? std::optional(of_fstab(*entry)) : std::optional<BootMount>{};
    }
    TRY_ASSIGN(const auto second, find_unit(host, kFoldersAfterFstab, unit));
    return second ? of_unit(host, *second, unit, nullptr)
                  : Result<std::optional<BootMount>>(std::optional<BootMount>{});
}

} // namespace

std::string unit_name_of_path(std::string_view path)
{
    std::string name;
    for (const auto part : split(path, '/')) {
        if (part.empty()) {
            continue;
        }
        name += name.empty() ? "" : "-";
        for (std::size_t at = 0; at < part.size(); ++at) {
            const char c = part[at];
            const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                  c == '_' || c == ':' || (c == '.' && !name.empty());
            const auto byte = static_cast<unsigned char>(c);
            name += is_plain ? std::string(1, c) : "\\x" + hex(&byte, 1);
        }
    }
    return name.empty() ? "-" : name;
}

Result<std::optional<BootMount>> mount_at_boot(Facts& facts, const std::string& point)
{
    const std::string unit = unit_name_of_path(point) + ".mount";
    TRY_ASSIGN(auto mount, find_mount(facts, point, unit));
    if (!mount) {
        mount = of_systemd(point);
    }
    if (mount) {
        TRY(apply_drop_ins(facts.host(), unit, *mount));
    }
    return mount;
}

} // namespace hostward::hardening
