// SPDX-License-Identifier: Apache-2.0
// Kernel parameters: what systemd-sysctl writes at boot (sysctl.d(5)), and what the kernel has now.
#pragma once

#include "hardening/models/facts.h"
#include "hardening/models/lines.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct SysctlSetting {
    std::string key;                  ///< path below /proc/sys, may be a pattern: `net/ipv4/conf/*/rp_filter`
    std::optional<std::string> value; ///< nothing: `-KEY`, which only keeps patterns away from KEY
    Origin where;
};

/// `net.ipv4.ip_forward` and `net/ipv4/ip_forward` are one key. The first separator says which of the two it is.
[[nodiscard]] std::string sysctl_key(std::string_view name);

/// Settings of one file in its order.
[[nodiscard]] std::vector<SysctlSetting> parse_sysctl(std::string_view text, const std::string& file);

/// Does the key contain a pattern character?
[[nodiscard]] bool is_sysctl_pattern(std::string_view key);

struct SysctlConfig {
    /// Of all files together, one per key, in the order in which they are written to the kernel.
    std::vector<SysctlSetting> settings;
    /// Written afterwards by ufw, which applies a file of its own when it is on. One per key.
    std::vector<SysctlSetting> of_ufw;

    /// The setting that decides what `key` (a path below /proc/sys) has after boot; null: nobody sets it.
    [[nodiscard]] const SysctlSetting* at_boot(const std::string& key) const;

    void add(SysctlSetting setting); ///< read after those already there

    [[nodiscard]] static Result<SysctlConfig> read(Facts& facts);
};

/// What the running kernel has, without the line's end; nothing: it knows no such parameter. Unsupported: an image.
[[nodiscard]] Result<std::optional<std::string>> running_sysctl(const host::Host& host, const std::string& key);

} // namespace hostward::hardening
