// SPDX-License-Identifier: Apache-2.0
// What modprobe is told about modules: modprobe.d(5), as kmod reads it.
#pragma once

#include "hardening/models/facts.h"
#include "hardening/models/lines.h"

#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

/// `-` and `_` are the same in names of modules; within `[...]` of a pattern they stay.
[[nodiscard]] std::string module_name(std::string_view name);

struct InstallCommand {
    std::string modules; ///< a shell pattern of names
    std::string command; ///< a shell runs it instead of loading
    Origin where;
};

struct BlacklistedModule {
    std::string module;
    Origin where;
};

/// Neither loads anything: true, false, with or without /bin or /usr/bin. A command with arguments is not judged.
[[nodiscard]] bool loads_nothing(std::string_view command);

struct ModprobeConfig {
    std::vector<InstallCommand> installs; ///< in order: the first that fits counts
    std::vector<BlacklistedModule> blacklist;

    [[nodiscard]] const InstallCommand* install_of(std::string_view module) const;      ///< null: loaded normally
    [[nodiscard]] const BlacklistedModule* blacklisting(std::string_view module) const; ///< null: not blacklisted

    void parse(std::string_view text, const std::string& file);

    /// /etc, /run, /usr/local/lib, /usr/lib, /lib: by name, a link to /dev/null hides.
    [[nodiscard]] static Result<ModprobeConfig> read(Facts& facts);
};

} // namespace hostward::hardening
