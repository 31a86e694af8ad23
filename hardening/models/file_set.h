// SPDX-License-Identifier: Apache-2.0
// Files by name or shell pattern.
#pragma once

#include "agent/base/result.h"
#include "agent/host/host.h"

#include <cstdint>
#include <string>
#include <vector>

namespace hostward::hardening {

struct FoundFile {
    std::string path;
    host::FileFacts facts; ///< of the file itself where it is a link to one
};

/// The paths that glob(3) would try for an absolute pattern, in bytewise order: what has no `*`, `?` or `[...]` need
/// not be there. Exhausted: more than 100,000.
[[nodiscard]] Result<std::vector<std::string>> expand_pattern(const host::Host& host, const std::string& pattern);

/// What a path matches, in bytewise order: `*`, `?` and `[...]` stay within one component and take no leading point;
/// without them it is the one file, or none. Links are followed; one that leads nowhere is nothing.
[[nodiscard]] Result<std::vector<FoundFile>> find_files(const host::Host& host, const std::string& pattern);

/// Permission bits as four octal digits: `0644`.
[[nodiscard]] std::string octal(std::uint32_t mode);

} // namespace hostward::hardening
