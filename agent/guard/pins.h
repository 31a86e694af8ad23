// SPDX-License-Identifier: Apache-2.0
// The pin directory: names on a bpf file system that keep kernel objects alive without a process.
// Layout: PIN_DIR/v<ABI>/{map_*,link_*,prog_*}; PIN_DIR/v<ABI>_new while a set is being made.
#pragma once

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace hostward::guard {

struct PinPaths {
    std::string base;    ///< the --pin-dir
    std::string current; ///< complete set of this ABI version
    std::string staging; ///< incomplete set: never trusted, removed at the next start
};

[[nodiscard]] PinPaths pin_paths(const std::string& pin_dir);

/// Creates `base` (0700). Errors: NotFound / Unsupported when it is not on a bpf file system, with the mount
/// command in the text.
[[nodiscard]] Status prepare_pin_dir(const PinPaths& paths);

/// Sets of other ABI versions below `base`, full paths.
[[nodiscard]] std::vector<std::string> other_versions(const PinPaths& paths);

/// Removes a directory of pins and the directory; absent is fine.
[[nodiscard]] Status remove_pins(const std::string& directory);

/// Names (not paths) in a directory; absent: none.
[[nodiscard]] std::vector<std::string> list_pins(const std::string& directory);

/// Opens a pinned object. read_only works for maps only.
[[nodiscard]] Result<UniqueFd> open_pin(const std::string& path, bool read_only = false);

/// Id of the pinned program, 0 if there is none.
[[nodiscard]] std::uint32_t pinned_program_id(const std::string& path);

/// Ids of the tc programs pinned in `directory`.
[[nodiscard]] std::set<std::uint32_t> pinned_tc_programs(const std::string& directory);

/// Pins `fd` at `path`.
[[nodiscard]] Status pin(int fd, const std::string& path);

} // namespace hostward::guard
