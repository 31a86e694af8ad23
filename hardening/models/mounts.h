// SPDX-License-Identifier: Apache-2.0
// What is mounted now on the host: /proc/1/mountinfo, or our own where that is not the same root's, as proc(5)
// describes it.
#pragma once

#include "hardening/models/facts.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct Mount {
    int id = 0;
    int parent = 0;
    std::string device; ///< `254:0`
    std::string root;   ///< the part of the file system that is mounted
    std::string point;
    std::vector<std::string> options; ///< of the mount, then of the file system; the first of a name counts
    std::string type;
    std::string source;

    [[nodiscard]] bool has(std::string_view option) const;
};

/// `\040` and the like resolved, as the kernel and fstab(5) write blanks.
[[nodiscard]] std::string unescaped_octal(std::string_view text);

/// Malformed lines are an Error: the kernel does not write any.
[[nodiscard]] Result<std::vector<Mount>> parse_mountinfo(std::string_view text);

struct Mounts {
    std::vector<Mount> all; ///< in the kernel's order
    std::string where = "/proc/self/mountinfo";

    /// The mount that one meets at this path: the topmost. Null: none ends there.
    [[nodiscard]] const Mount* at(std::string_view path) const;

    /// Whether both tables begin with the same part of the same file system.
    [[nodiscard]] bool has_same_root(const Mounts& other) const;

    /// Unsupported: an image.
    [[nodiscard]] static Result<Mounts> read(Facts& facts);
};

} // namespace hostward::hardening
