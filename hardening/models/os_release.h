// SPDX-License-Identifier: Apache-2.0
// Which system this is: os-release(5).
#pragma once

#include "agent/base/result.h"
#include "agent/host/host.h"
#include "hardening/models/facts.h"

#include <string>
#include <string_view>

namespace hostward::hardening {

struct OsRelease {
    std::string id = "linux"; ///< the default that os-release(5) gives
    std::string version_id;
    std::string pretty_name = "Linux";

    [[nodiscard]] std::string major() const; ///< `9` of `9.4`

    static Result<OsRelease> read(Facts& facts);
};

/// /etc/os-release, else /usr/lib/os-release. NotFound if there is neither.
[[nodiscard]] Result<OsRelease> read_os_release(const host::Host& host);

/// Lines NAME=VALUE, with shell quotes and escapes but nothing that a shell would expand. The last of a name counts.
[[nodiscard]] OsRelease parse_os_release(std::string_view text);

} // namespace hostward::hardening
