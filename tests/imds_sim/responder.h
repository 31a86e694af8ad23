// SPDX-License-Identifier: Apache-2.0
// Turns a request into what is to happen on its connection: settings of the moment, service, faults, log.
#pragma once

#include "tests/imds_sim/request_log.h"
#include "tests/imds_sim/service.h"

#include <string>

namespace hostward::imds_sim {

constexpr std::size_t kMaxControlBytes = 4096;

/// The settings given at start with those of the control file on top, read anew for every request.
class SettingsSource {
public:
    SettingsSource(Settings base, std::string control_path)
        : base_(base), last_(base), control_path_(std::move(control_path))
    {
    }
    /// A missing file means the settings at start; a file that cannot be used keeps the last ones and says so once.
    [[nodiscard]] const Settings& current();

private:
    Settings base_;
    Settings last_;
    std::string control_path_;
    std::string complaint_; ///< the last one printed
};

struct Plan {
    FaultKind kind = FaultKind::None; ///< None and Garbage send `wire`
    std::string wire;
    int delay_ms = 0;
    int hop_limit = 0; ///< 0: the system's default
    bool close_after = false;
};

class Responder {
public:
    Responder(Service service, SettingsSource settings, RequestLog log)
        : service_(std::move(service)), settings_(std::move(settings)), log_(std::move(log))
    {
    }
    [[nodiscard]] Plan respond(const Request& request, const Peer& peer);
    [[nodiscard]] Plan refuse(const Malformed& malformed, const Peer& peer);

private:
    Service service_;
    SettingsSource settings_;
    RequestLog log_;
};

} // namespace hostward::imds_sim
