// SPDX-License-Identifier: Apache-2.0
// Modules that are there to be loaded, built in or loaded: /lib/modules, /proc/modules and what a running kernel has
// registered.
#pragma once

#include "hardening/models/facts.h"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

/// Names with `_` for `-`.
using ModuleNames = std::set<std::string, std::less<>>;

/// One folder of /lib/modules. Without modules.dep modprobe finds nothing there, and we do not know what is there.
struct InstalledKernel {
    std::string release;
    std::optional<ModuleNames> loadable; ///< nothing: no modules.dep
    std::optional<ModuleNames> builtin;  ///< nothing: no modules.builtin
};

/// `kernel/fs/cramfs/cramfs.ko.xz: kernel/...` on each line.
[[nodiscard]] ModuleNames parse_modules_dep(std::string_view text);
[[nodiscard]] ModuleNames parse_modules_builtin(std::string_view text);

struct RunningKernel {
    std::string release;
    bool takes_modules = true; ///< false: it was built or started without them
    ModuleNames loaded;
    ModuleNames registered; ///< file systems and network protocols that it has, loaded or built in
};

struct KernelModules {
    std::vector<InstalledKernel> kernels;
    std::optional<RunningKernel> running; ///< nothing: an image

    [[nodiscard]] static Result<KernelModules> read(Facts& facts);
};

} // namespace hostward::hardening
