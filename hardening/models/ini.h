// SPDX-License-Identifier: Apache-2.0
// `[section]` files: as systemd reads its own (systemd.syntax(7)), and as GLib reads key files (GDM, dconf).
#pragma once

#include "hardening/models/lines.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct IniEntry {
    std::string section;
    std::string key;
    std::string value;
    Origin where;
};

struct Ini {
    std::vector<IniEntry> entries; ///< in order
    /// systemd reads nothing after a section header without its `]`, further files included.
    std::optional<Origin> stops_at;

    /// The last one; null: not set, or set to nothing by the last one.
    [[nodiscard]] const IniEntry* find(std::string_view section, std::string_view key) const;
    /// Lists: an empty value forgets what came before.
    [[nodiscard]] std::vector<const IniEntry*> list(std::string_view section, std::string_view key) const;
};

/// systemd's: `#` and `;` comments, `\` joins lines. Adds to `ini`, unless that has stopped.
void parse_systemd_ini(std::string_view text, const std::string& file, Ini& ini);

/// GLib's GKeyFile: `#` comments, no joining. Malformed lines are left out: GLib refuses such a file as a whole, then
/// `stops_at` is set.
[[nodiscard]] Ini parse_key_file(std::string_view text, const std::string& file);

} // namespace hostward::hardening
