// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"

#include "hardening/models/kernel_modules.h"
#include "hardening/models/modprobe.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kArguments{
    ArgumentSpec{"module", ValueType::Text, true, "a module's name; `-` and `_` are the same", {}},
    ArgumentSpec{"registers",
                 ValueType::Text,
                 false,
                 "the file system or protocol that the kernel has when the module is in it; default: the module's name",
                 {}},
};

constexpr auto kExpected = "blocked or absent";

/// What the running kernel has: a module that is in it now is a failure whatever the configuration says.
Outcome of_running(const RunningKernel& kernel, const std::string& module, const std::string& registers)
{
    if (kernel.loaded.contains(module)) {
        return Outcome::of(Verdict::Fail, {"not loaded", module + " is loaded", "/proc/modules"});
    }
    if (kernel.registered.contains(registers)) {
        return Outcome::of(Verdict::Fail,
                           {"absent", "the running kernel has " + registers + " built in", "/proc/filesystems"});
    }
    return Outcome::of(Verdict::Pass, {"not loaded", module + " is not loaded", "/proc/modules"});
}

enum class Presence { Absent, Loadable, BuiltIn, Unknown };

Presence presence_in(const InstalledKernel& kernel, const std::string& module)
{
    if (kernel.builtin && kernel.builtin->contains(module)) {
        return Presence::BuiltIn;
    }
    if (kernel.loadable && kernel.loadable->contains(module)) {
        return Presence::Loadable;
    }
    return kernel.loadable && kernel.builtin ? Presence::Absent : Presence::Unknown;
}

Outcome of_config(const ModprobeConfig& config, const std::string& module)
{
    const auto* install = config.install_of(module);
    const auto* blacklisting = config.blacklisting(module);
    const bool is_blocked = install != nullptr && loads_nothing(install->command);
    const std::string folder = "/etc/modprobe.d";
    std::vector<Outcome> parts;
    parts.push_back(
        Outcome::pass_if(is_blocked, {"install " + module + " /bin/false",
                                      install == nullptr ? "no install line" : "install " + install->command,
                                      install == nullptr ? folder : install->where.text()}));
    parts.push_back(Outcome::pass_if(
        blacklisting != nullptr, {"blacklist " + module, blacklisting == nullptr ? "not blacklisted" : "blacklisted",
                                  blacklisting == nullptr ? folder : blacklisting->where.text()}));
    return all_of(parts);
}

/// For one kernel of /lib/modules, the next boot included.
Outcome of_kernel(const InstalledKernel& kernel, const ModprobeConfig& config, const std::string& module)
{
    const std::string folder = "/lib/modules/" + kernel.release;
    switch (presence_in(kernel, module)) {
    case Presence::BuiltIn:
        return Outcome::of(Verdict::Fail,
                           {"absent", module + " is built into the kernel", folder + "/modules.builtin"});
    case Presence::Absent:
        return Outcome::of(Verdict::Pass, {kExpected, "this kernel has no module " + module, folder + "/modules.dep"});
    case Presence::Loadable: return of_config(config, module);
    case Presence::Unknown: break;
    }
    if (!kernel.builtin) {
        return Outcome::cannot_tell(folder + " has no modules.builtin: " + module + " may be built into the kernel");
    }
    auto blocked = of_config(config, module);
    return blocked.verdict == Verdict::Pass
               ? blocked
               : Outcome::cannot_tell(folder + " has no modules.dep: whether " + module + " is there cannot be told");
}

/// A running kernel that /lib/modules does not have: only what it registered says something.
Outcome of_kernel_without_folder(const KernelModules& modules, const ModprobeConfig& config, const std::string& module,
                                 bool registers_something)
{
    const std::string release = modules.running ? modules.running->release : "";
    if (modules.running && registers_something) {
        return modules.running->takes_modules
                   ? of_config(config, module)
                   : Outcome::of(Verdict::Pass, {kExpected, "the kernel takes no modules and does not have " + module,
                                                 "/proc/modules, /proc/filesystems"});
    }
    return Outcome::cannot_tell(modules.running ? "/lib/modules has nothing of the running kernel " + release +
                                                      ": whether " + module + " is built into it cannot be told"
                                                : "the image has no kernel in /lib/modules");
}

Result<Outcome> evaluate_kernel_module(const Arguments& arguments, Facts& facts)
{
    const auto& modules = facts.get<KernelModules>();
    const auto& config = facts.get<ModprobeConfig>();
    if (!modules || !config) {
        return modules ? config.error() : modules.error();
    }
    const std::string module = module_name(arguments.text("module"));
    const std::string registers = arguments.text_or("registers", module);
    std::vector<Outcome> parts;
    if (modules->running) {
        parts.push_back(of_running(*modules->running, module, registers));
    }
    bool has_running = !modules->running && !modules->kernels.empty();
    for (const auto& kernel : modules->kernels) {
        has_running = has_running || kernel.release == modules->running->release;
        parts.push_back(of_kernel(kernel, *config, module));
    }
    if (!has_running) {
        parts.push_back(of_kernel_without_folder(*modules, *config, module, registers != "none"));
    }
    return all_of(parts);
}

} // namespace

const Primitive kKernelModulePrimitive{"kernel_module",
                                       "A module is in no installed kernel, or modprobe is kept from loading it and it "
                                       "is blacklisted; it is not loaded now.",
                                       kArguments, evaluate_kernel_module};

} // namespace hostward::hardening
