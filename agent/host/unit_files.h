// SPDX-License-Identifier: Apache-2.0
// systemd's unit files as they lie on disk, without asking systemd: systemd.unit(5) says where and in which order.
#pragma once

#include "agent/base/result.h"

#include <string>
#include <utility>
#include <vector>

namespace hostward::host {

/// One unit with its drop-ins.
struct UnitFile {
    bool is_installed = false;
    bool is_masked = false;          ///< linked to /dev/null
    bool is_enabled = false;         ///< some unit wants or requires it by a link in /etc or /run
    std::string path;                ///< the file that counts
    std::vector<std::string> before; ///< Before=, drop-ins applied
    bool has_default_dependencies = true;
};

/// Larger unit files are an error.
inline constexpr std::size_t kUnitFileBytesMax = 1U << 20;

/// Looks `name` up below `root`. Absent is a value. Errors: a file that cannot be read.
[[nodiscard]] Result<UnitFile> unit_file(const std::string& root, const std::string& name);

/// Names of the services and sockets below `root`, generated and transient ones included.
[[nodiscard]] Result<std::vector<std::string>> unit_names(const std::string& root);

/// One assignment of a unit file.
struct UnitAssignment {
    std::string section; ///< without brackets
    std::string key;
    std::string value;
};

/// What a unit file's text sets, as systemd reads it: comments and continued lines resolved.
[[nodiscard]] std::vector<UnitAssignment> parse_unit_text(const std::string& text);

/// parse_unit_text() of the section [Unit] alone: key and value.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> parse_unit_section(const std::string& text);

} // namespace hostward::host
