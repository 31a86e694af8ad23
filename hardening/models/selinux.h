// SPDX-License-Identifier: Apache-2.0
// SELinux: its mode and policy now and at the next boot.
#pragma once

#include "hardening/models/facts.h"
#include "hardening/models/lines.h"

#include <optional>
#include <string>
#include <string_view>

namespace hostward::hardening {

enum class SelinuxMode { Disabled, Permissive, Enforcing };
[[nodiscard]] const char* selinux_mode_name(SelinuxMode mode);

/// /etc/selinux/config, as libselinux and systemd read it at boot.
struct SelinuxConfig {
    std::optional<SelinuxMode> mode; ///< nothing: not set; then systemd loads the policy and stays permissive
    Origin mode_where;
    std::string type = "targeted"; ///< libselinux's default
    Origin type_where;
    bool is_there = false; ///< the file

    [[nodiscard]] static Result<SelinuxConfig> read(Facts& facts);
};
[[nodiscard]] SelinuxConfig parse_selinux_config(std::string_view text, const std::string& file);

/// What the running kernel does. Unsupported: an image. A kernel without SELinux is Disabled.
struct RunningSelinux {
    SelinuxMode mode = SelinuxMode::Disabled;

    [[nodiscard]] static Result<RunningSelinux> read(Facts& facts);
};

} // namespace hostward::hardening
