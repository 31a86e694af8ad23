// SPDX-License-Identifier: Apache-2.0
// Reading policy files: what may be read at all, and how much. Internal to the configuration library.
#pragma once

#include "agent/base/result.h"

#include <optional>
#include <string>
#include <vector>

namespace hostward::config {

/// Whether a link to /dev/null may stand for an empty file.
enum class Mask { Refused, Allowed };

/// The whole text of the file; nothing if it is masked. NotFound if there is none. `owner`: the user who alone may be
/// able to change it, none to take whatever is there.
[[nodiscard]] Result<std::optional<std::string>> read_policy_text(const std::string& path, Mask mask,
                                                                  std::optional<unsigned> owner);

/// Whether the folder exists. An error if it cannot be looked at, or another user than `owner` could put files there.
[[nodiscard]] Result<bool> check_policy_folder(const std::string& folder, std::optional<unsigned> owner);

/// Paths of FOLDER/*.toml, hidden ones left out, in the bytewise order of their names.
[[nodiscard]] Result<std::vector<std::string>> list_policy_folder(const std::string& folder);

} // namespace hostward::config
