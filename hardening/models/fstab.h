// SPDX-License-Identifier: Apache-2.0
// fstab(5) and what mount options mean: a later option undoes an earlier one, `user` implies others.
#pragma once

#include "hardening/models/facts.h"
#include "hardening/models/lines.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct FstabEntry {
    std::string source;
    std::string point; ///< without slashes at its end
    std::string type;
    std::vector<std::string> options;
    Origin where;
};

/// Options between commas; a comma within double quotes stays.
[[nodiscard]] std::vector<std::string> mount_options(std::string_view text);

/// Would a file system mounted with these options have `wanted`: nodev, nosuid or noexec, or any other word (then it
/// must be there)?
[[nodiscard]] bool options_give(std::span<const std::string> options, std::string_view wanted);

[[nodiscard]] std::vector<FstabEntry> parse_fstab(std::string_view text, const std::string& file);

struct Fstab {
    std::vector<FstabEntry> entries;

    /// The entry that systemd makes the mount of this path of: the first. Null: none.
    [[nodiscard]] const FstabEntry* at(std::string_view point) const;

    [[nodiscard]] static Result<Fstab> read(Facts& facts);
};

} // namespace hostward::hardening
