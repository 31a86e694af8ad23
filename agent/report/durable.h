// SPDX-License-Identifier: Apache-2.0
// Files that are there whole after power loss, or not at all.
#pragma once

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::report {

/// Names that begin so are files being written: after a crash, leftovers.
inline constexpr std::string_view kAsidePrefix = ".new-";

/// The folder, made with its parents (0700) if it is not there.
[[nodiscard]] Result<UniqueFd> open_folder(const std::string& path);
/// A folder in `parent`, made (0700) if it is not there; never through a symbolic link.
[[nodiscard]] Result<UniqueFd> open_folder_in(const UniqueFd& parent, const std::string& name);

/// Writes `bytes` beside `name` and fsyncs them. Exhausted: no space. Nothing is left behind on failure.
[[nodiscard]] Status write_aside(const UniqueFd& folder, const std::string& name, std::string_view bytes,
                                 unsigned mode = 0600);
/// What write_aside() wrote takes its name; durable on return.
[[nodiscard]] Status move_into_place(const UniqueFd& folder, const std::string& name);
/// write_aside() and move_into_place().
[[nodiscard]] Status write_durably(const UniqueFd& folder, const std::string& name, std::string_view bytes,
                                   unsigned mode = 0600);

/// The regular file's bytes. NotFound: there is none. Invalid: no regular file, or more than `bytes_max`.
[[nodiscard]] Result<std::string> read_whole(const UniqueFd& folder, const std::string& name, std::size_t bytes_max);

/// Names in the folder without `.` and `..`, bytewise order.
[[nodiscard]] Result<std::vector<std::string>> names_in(const UniqueFd& folder);

/// Removes a file, or an empty folder. No such file is success.
[[nodiscard]] Status remove_in(const UniqueFd& folder, const std::string& name);

/// Renames and removals in the folder are durable on return.
[[nodiscard]] Status sync_folder(const UniqueFd& folder);

} // namespace hostward::report
