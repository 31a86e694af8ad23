// SPDX-License-Identifier: Apache-2.0
// dnf.conf and the .repo files as dnf reads them: dnf.conf(5).
#pragma once

#include "hardening/models/facts.h"
#include "hardening/models/lines.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct DnfSetting {
    std::string value;
    Origin where;
};

struct DnfSection {
    std::string name; ///< `main`, or the repository's id; empty: the header is broken
    Origin where;
    std::vector<std::pair<std::string, DnfSetting>> settings; ///< in file order
    [[nodiscard]] const DnfSetting* last(std::string_view key) const;
};

struct DnfConfig {
    bool is_there = false;                ///< /etc/dnf/dnf.conf, or /etc/yum.conf where that is absent
    std::string path;                     ///< of that file
    std::vector<DnfSection> main;         ///< sections of it; one may come again
    std::vector<DnfSection> repositories; ///< of the .repo files in the folders of `reposdir`, and of dnf.conf
    /// Invalid: a broken header, with which dnf does not start.
    static Result<DnfConfig> read(Facts& facts);
    /// Of [main], the last of all its sections.
    [[nodiscard]] const DnfSetting* setting(std::string_view key) const;
};

[[nodiscard]] std::vector<DnfSection> parse_dnf_config(std::string_view text, const std::string& file);

/// dnf's words for yes and no, in either case. Nothing: neither, which dnf refuses and takes its default instead.
[[nodiscard]] std::optional<bool> dnf_flag(std::string_view text);

} // namespace hostward::hardening
