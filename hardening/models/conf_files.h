// SPDX-License-Identifier: Apache-2.0
// Configuration in folders of small files: the first folder that has a name decides about it, and the files count in
// the order of their names. systemd, kmod and others share these rules: sysctl.d(5), modprobe.d(5).
#pragma once

#include "agent/host/host.h"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct ConfFile {
    std::string path; ///< of the one that counts
    std::string text;
};

/// Files that end in `suffix`, of `folders` in the order of their precedence, sorted by name. A link to /dev/null
/// hides the same name in later folders and is not in the answer. Absent folders have no files.
[[nodiscard]] Result<std::vector<ConfFile>> conf_files(const host::Host& host, std::span<const std::string> folders,
                                                       std::string_view suffix);

/// `{etc,run,usr/local/lib,usr/lib,lib}/NAME`: the folders of systemd and kmod.
[[nodiscard]] std::vector<std::string> conf_folders(std::string_view name);

/// A file that may be absent: nothing then. A link to /dev/null is an empty file.
[[nodiscard]] Result<std::vector<ConfFile>> conf_file(const host::Host& host, const std::string& path);

/// Lines as systemd counts them: `\n`, `\r`, `\0` and their combinations end one.
void for_each_systemd_line(std::string_view text,
                           const std::function<void(std::string_view line, std::uint32_t number)>& each);

/// Shell patterns of one path: `*` and `?` stop at `/`, a leading dot wants a dot, `{a,b}` are alternatives.
[[nodiscard]] bool glob_matches(const std::string& pattern, const std::string& path);

} // namespace hostward::hardening
