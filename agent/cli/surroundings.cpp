// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/surroundings.h"

#include "agent/guard/status.h"
#include "agent/report/imds_probe.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

namespace hostward::cli {

namespace {

/// Link-local services share 1,024 packets a second with each other, and others need them as well.
constexpr std::chrono::milliseconds kPause{1000};

std::string variable(const char* name)
{
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

} // namespace

Result<report::ImdsOptions> metadata_options() { return report::imds_options(variable); }

using hardening::GuardFacts;
using hardening::MetadataAccess;

Result<MetadataAccess> InstanceSurroundings::probe()
{
    if (nobody_) {
        return *nobody_;
    }
    const auto status = report::probe_without_token(options_);
    if (!status) {
        nobody_ = status.error();
        return *nobody_;
    }
    MetadataAccess out{*status, report::probe_hop_limit(options_)};
    probed_until_ = std::chrono::steady_clock::now() + kPause;
    return out;
}

Result<MetadataAccess> InstanceSurroundings::metadata_access()
{
    if (!access_) {
        access_ = probe();
    }
    return *access_;
}

Result<std::string> InstanceSurroundings::ask(const std::string& path)
{
    if (nobody_) {
        return *nobody_;
    }
    if (imds_ == nullptr) {
        // The client keeps its own pace and knows nothing of our probes.
        std::this_thread::sleep_until(probed_until_);
        TRY_ASSIGN(imds_, report::open_imds(options_));
    }
    auto item = imds_->get(path);
    if (!item && item.error().kind == ErrorKind::System) {
        nobody_ = item.error();
    }
    return item;
}

Result<std::string> InstanceSurroundings::metadata(const std::string& path)
{
    auto found = items_.find(path);
    if (found == items_.end()) {
        found = items_.emplace(path, ask(path)).first;
    }
    return found->second;
}

Result<GuardFacts> InstanceSurroundings::guard()
{
    if (guard_facts_) {
        return *guard_facts_;
    }
    const auto status = guard::read_status(guard_);
    if (!status) {
        guard_facts_ = status.error();
    } else if (!status->loaded && ::geteuid() != 0) {
        guard_facts_ = Error{ErrorKind::Denied, 0, "only root can tell whether the guard is loaded"};
    } else {
        GuardFacts out{status->loaded, status->audit, {}};
        for (const auto& layer : status->layers) {
            out.layers.push_back({layer.name, layer.state == guard::LayerState::On,
                                  layer.state != guard::LayerState::Unavailable, layer.why});
        }
        guard_facts_ = std::move(out);
    }
    return *guard_facts_;
}

} // namespace hostward::cli
