// SPDX-License-Identifier: Apache-2.0
// The kernel's command line: what the running kernel got, and what each entry of the boot loader would give.
#pragma once

#include "hardening/models/facts.h"
#include "hardening/models/lines.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct KernelArgument {
    std::string name;                 ///< `-` and `_` as written
    std::optional<std::string> value; ///< nothing: no `=`
};

/// As the kernel splits it: double quotes keep blanks, `--` ends what is the kernel's.
[[nodiscard]] std::vector<KernelArgument> parse_kernel_arguments(std::string_view text);

/// The last of a name; null: none. `-` and `_` are the same, as for the kernel.
[[nodiscard]] const KernelArgument* find_argument(const std::vector<KernelArgument>& all, std::string_view name);

/// One kernel that the boot loader can start.
struct BootEntry {
    std::vector<KernelArgument> arguments;
    Origin where;
};

/// `linux`, `linux16` and `linuxefi` lines of a grub.cfg, with what `set` gave the variables in them before.
[[nodiscard]] std::vector<BootEntry> parse_grub_config(std::string_view text, const std::string& file);

/// `options` lines of one entry of the Boot Loader Specification; `$kernelopts` and others from grubenv.
struct Variable {
    std::string name;
    std::string value;
};
[[nodiscard]] std::vector<Variable> parse_grubenv(std::string_view text);
[[nodiscard]] BootEntry parse_bls_entry(std::string_view text, const std::string& file,
                                        const std::vector<Variable>& variables);

struct BootEntries {
    std::vector<BootEntry> entries;

    /// None: no boot loader's configuration that we know is there.
    [[nodiscard]] static Result<BootEntries> read(Facts& facts);
};

struct RunningArguments {
    std::vector<KernelArgument> arguments;

    [[nodiscard]] static Result<RunningArguments> read(Facts& facts); ///< Unsupported: an image
};

} // namespace hostward::hardening
