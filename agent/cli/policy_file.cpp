// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/policy_file.h"

namespace hostward::cli {

Result<PolicyFile> read_policy_file(const std::string& path, guard::Resolver& resolver, const std::string& preset_dir,
                                    config::Trust trust)
{
    PolicyFile out;
    TRY_ASSIGN(out.config, config::load(path, preset_dir, trust));
    TRY_ASSIGN(out.policy, guard::compile(out.config, resolver));
    return out;
}

} // namespace hostward::cli
