// SPDX-License-Identifier: Apache-2.0
// What will be mounted after the next boot: fstab, .mount units with their drop-ins, and what systemd mounts itself.
#pragma once

#include "hardening/models/facts.h"
#include "hardening/models/lines.h"

#include <optional>
#include <string>
#include <vector>

namespace hostward::hardening {

struct BootMount {
    std::string type;
    std::vector<std::string> options;
    Origin where; ///< what sets the options
};

/// `/var/log` is `var-log`: systemd-escape --path.
[[nodiscard]] std::string unit_name_of_path(std::string_view path);

/// The mount of `point` (absolute, no slash at its end) that the configuration asks for; nothing: none. An entry with
/// `noauto`, a masked unit and a unit that nothing pulls in are none.
[[nodiscard]] Result<std::optional<BootMount>> mount_at_boot(Facts& facts, const std::string& point);

} // namespace hostward::hardening
