// SPDX-License-Identifier: Apache-2.0
// dpkg's database: /var/lib/dpkg/status, what is not merged into it yet (updates/) and status.d of images without dpkg.
#pragma once

#include "hardening/models/packages.h"

namespace hostward::hardening {

/// One paragraph, its fields as written.
struct DpkgParagraph {
    std::string name;
    std::string version;
    std::string architecture;
    std::string status;               ///< the whole field: want, flag, status; empty where the field is missing
    bool is_per_architecture = false; ///< Multi-Arch: same
    std::uint32_t line = 0;
};

/// Errors name the line: no package name, a field without a colon.
[[nodiscard]] Result<std::vector<DpkgParagraph>> parse_dpkg(std::string_view text, const std::string& file);

/// The third word of a Status field decides. Nothing: not installed. An error: no such word.
[[nodiscard]] Result<std::optional<PackageState>> dpkg_state(std::string_view status);

/// Adds what dpkg knows; a host without dpkg adds nothing.
[[nodiscard]] Status read_dpkg(const host::Host& host, Packages& out);

} // namespace hostward::hardening
