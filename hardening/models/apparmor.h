// SPDX-License-Identifier: Apache-2.0
// AppArmor as the running kernel has it. Nothing of this is in an image.
#pragma once

#include "hardening/models/facts.h"

#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct ApparmorProfile {
    std::string name;
    std::string mode; ///< enforce, complain, kill, unconfined, prompt, mixed
};

/// `NAME (MODE)` on each line; names may have blanks and parentheses.
[[nodiscard]] std::vector<ApparmorProfile> parse_apparmor_profiles(std::string_view text);

struct ApparmorProcess {
    int pid = 0;
    std::string executable;
    std::string profile; ///< `unconfined` or a profile's name
    std::string mode;    ///< empty for unconfined
};

struct Apparmor {
    bool is_on = false; ///< the kernel has it, and it was not turned off at boot
    std::vector<ApparmorProfile> profiles;
    std::vector<ApparmorProcess> processes; ///< without kernel threads

    /// Unsupported: an image. An Error where the kernel has AppArmor and does not show its profiles.
    [[nodiscard]] static Result<Apparmor> read(Facts& facts);
};

} // namespace hostward::hardening
