// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/kernel_modules.h"

#include "hardening/models/conf_files.h"
#include "hardening/models/lines.h"
#include "hardening/models/modprobe.h"

namespace hostward::hardening {

namespace {

constexpr auto kModulesFolder = "/lib/modules";

/// `kernel/fs/cramfs/cramfs.ko.xz` is `cramfs`; empty: not a module's file.
std::string name_of_file(std::string_view path)
{
    const auto name = path.substr(path.rfind('/') + 1);
    const auto end = name.find(".ko");
    return end == name.npos || end == 0 ? std::string() : module_name(name.substr(0, end));
}

void insert_file(ModuleNames& names, std::string_view path)
{
    if (auto name = name_of_file(path); !name.empty()) {
        names.insert(std::move(name));
    }
}

Result<std::vector<InstalledKernel>> installed_kernels(const host::Host& host)
{
    std::vector<InstalledKernel> kernels;
    TRY_ASSIGN(const auto names, host::list_optional(host, kModulesFolder));
    for (const auto& name : names) {
        const std::string folder = std::string(kModulesFolder) + "/" + name;
        TRY_ASSIGN(const auto facts, host.facts(folder));
        TRY_ASSIGN(const auto dep, host::read_optional(host, folder + "/modules.dep"));
        TRY_ASSIGN(const auto builtin, host::read_optional(host, folder + "/modules.builtin"));
        TRY_ASSIGN(const bool has_modules, host::exists(host, folder + "/kernel"));
        if (facts.type != host::FileType::Directory || (!dep && !builtin && !has_modules)) {
            continue; // what is left of a removed kernel
        }
        InstalledKernel kernel{name, std::nullopt, std::nullopt};
        if (dep) {
            kernel.loadable = parse_modules_dep(*dep);
        } else if (!has_modules) {
            kernel.loadable = ModuleNames{};
        }
        if (builtin) {
            kernel.builtin = parse_modules_builtin(*builtin);
        }
        kernels.push_back(std::move(kernel));
    }
    return kernels;
}

/// First column of /proc/modules, last of /proc/filesystems, first of /proc/net/protocols.
ModuleNames column(std::string_view text, bool is_last)
{
    ModuleNames names;
    for_each_line(text, [&](std::string_view line, std::uint32_t /*number*/) {
        const auto parts = words(line);
        if (!parts.empty()) {
            names.insert(module_name(lower(is_last ? parts.back() : parts.front())));
        }
    });
    return names;
}

Result<RunningKernel> running_kernel(const host::Host& host)
{
    RunningKernel kernel;
    TRY_ASSIGN(const auto release, host.read("/proc/sys/kernel/osrelease"));
    kernel.release = std::string(trimmed(std::string_view(release).substr(0, release.find('\n'))));
    TRY_ASSIGN(const auto modules, host::read_optional(host, "/proc/modules"));
    kernel.takes_modules = modules.has_value();
    kernel.loaded = column(modules.value_or(""), false);
    TRY_ASSIGN(const auto filesystems, host.read("/proc/filesystems"));
    kernel.registered = column(filesystems, true);
    TRY_ASSIGN(const auto protocols, host::read_optional(host, "/proc/net/protocols"));
    kernel.registered.merge(column(protocols.value_or(""), false));
    return kernel;
}

} // namespace

ModuleNames parse_modules_dep(std::string_view text)
{
    ModuleNames names;
    for_each_line(text, [&](std::string_view line, std::uint32_t /*number*/) {
        if (const auto colon = line.find(':'); colon != line.npos) {
            insert_file(names, line.substr(0, colon));
        }
    });
    return names;
}

ModuleNames parse_modules_builtin(std::string_view text)
{
    ModuleNames names;
    for_each_line(text, [&](std::string_view line, std::uint32_t /*number*/) { insert_file(names, trimmed(line)); });
    return names;
}

Result<KernelModules> KernelModules::read(Facts& facts)
{
    KernelModules modules;
    TRY_ASSIGN(modules.kernels, installed_kernels(facts.host()));
    if (facts.host().is_running()) {
        TRY_ASSIGN(auto running, running_kernel(facts.host()));
        modules.running = std::move(running);
    }
    return modules;
}

} // namespace hostward::hardening
