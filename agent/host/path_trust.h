// SPDX-License-Identifier: Apache-2.0
// Who besides its owner could put another file in the place of a path. Every directory on the way counts, those
// that symbolic links lead through included.
#pragma once

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

#include <sys/stat.h>

#include <cstdint>
#include <string>

namespace hostward::host {

struct PathTrust {
    bool exists = false;
    /// Empty: nobody but `owner` can. Else the first reason found, for people: `directory "/opt" is writable by
    /// group 50`. Also set for a path that does not exist when others could create it.
    std::string writable_by;
    /// The file that the walk ended at (O_PATH), so that what was judged and what is used are one file. Only
    /// if it exists.
    UniqueFd file;
};

/// Walks `path` (absolute) below `root` as if root were "/". An error if the file is not a regular one or
/// cannot be looked at. POSIX ACLs are covered, because the group bits of a mode are the ACL's upper bound;
/// the richer ACLs of network file systems are not.
[[nodiscard]] Result<PathTrust> path_trust(const std::string& root, const std::string& path, std::uint32_t owner = 0);

/// The rule for one step, without any I/O. `directory` is where the name is looked up; `entry` is what the name
/// is, null if it does not exist. Who could replace the entry, or "" for nobody but `owner`.
[[nodiscard]] std::string who_can_replace(const struct stat& directory, const struct stat* entry, std::uint32_t owner);

/// Who can write the contents of a regular file, or "" for nobody but `owner`.
[[nodiscard]] std::string who_can_write(const struct stat& file, std::uint32_t owner);

} // namespace hostward::host
