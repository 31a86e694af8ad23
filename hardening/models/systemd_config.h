// SPDX-License-Identifier: Apache-2.0
// Configuration of systemd's own services: journald.conf, coredump.conf, timesyncd.conf, ... with their drop-ins.
#pragma once

#include "agent/host/host.h"
#include "hardening/models/ini.h"

#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct SystemdConfig {
    Ini ini;
    std::vector<std::string> files; ///< that were read, in order: the main file, then the drop-ins
};

/// `name` is "journald": the first journald.conf of /etc, /run, /usr/local/lib, /usr/lib, then journald.conf.d/*.conf
/// of all of them.
[[nodiscard]] Result<SystemdConfig> read_systemd_config(const host::Host& host, const std::string& name);

} // namespace hostward::hardening
