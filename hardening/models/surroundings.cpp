// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/surroundings.h"

namespace hostward::hardening {

namespace {

class NoSurroundings final : public Surroundings {
public:
    [[nodiscard]] Result<std::string> metadata(const std::string& /*path*/) override { return unknown(); }
    [[nodiscard]] Result<MetadataAccess> metadata_access() override { return unknown(); }
    [[nodiscard]] Result<GuardFacts> guard() override { return unknown(); }

private:
    [[nodiscard]] static Error unknown()
    {
        return {ErrorKind::Unsupported, 0, "only a running instance can be asked this"};
    }
};

} // namespace

Surroundings& no_surroundings()
{
    static NoSurroundings none;
    return none;
}

} // namespace hostward::hardening
