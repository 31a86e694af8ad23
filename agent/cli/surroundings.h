// SPDX-License-Identifier: Apache-2.0
// What checks may ask beside the host's files: the metadata service and our guard, of the host that runs.
#pragma once

#include "agent/guard/options.h"
#include "agent/report/imds.h"
#include "hardening/models/surroundings.h"

#include <chrono>
#include <map>
#include <memory>
#include <optional>

namespace hostward::cli {

/// Where the metadata service is, as the environment says it to every SDK. Invalid: a variable that says nothing
/// sensible.
[[nodiscard]] Result<report::ImdsOptions> metadata_options();

/// Asks nothing before it is asked, and nothing twice: one connection and one token for all items.
class InstanceSurroundings final : public hardening::Surroundings {
public:
    InstanceSurroundings(report::ImdsOptions imds, guard::Options guard)
        : options_(std::move(imds)), guard_(std::move(guard))
    {
    }

    [[nodiscard]] Result<std::string> metadata(const std::string& path) override;
    [[nodiscard]] Result<hardening::MetadataAccess> metadata_access() override;
    [[nodiscard]] Result<hardening::GuardFacts> guard() override;

private:
    [[nodiscard]] Result<hardening::MetadataAccess> probe();
    [[nodiscard]] Result<std::string> ask(const std::string& path);

    report::ImdsOptions options_;
    guard::Options guard_;
    std::optional<Error> nobody_; ///< the metadata service did not answer: it is not asked again
    std::optional<Result<hardening::MetadataAccess>> access_;
    std::optional<Result<hardening::GuardFacts>> guard_facts_;
    std::chrono::steady_clock::time_point probed_until_; ///< two requests were made: a second is left to others
    std::unique_ptr<report::Imds> imds_;
    std::map<std::string, Result<std::string>> items_;
};

} // namespace hostward::cli
