// SPDX-License-Identifier: Apache-2.0
#include "agent/config/guard_config.h"

#include "agent/base/text.h"

namespace hostward::config {

std::string Place::text() const
{
    return line == 0 ? std::string("built-in default") : escape(file) + ":" + std::to_string(line);
}

std::vector<Endpoint> default_endpoints()
{
    Endpoint imds;
    imds.name = "imds";
    imds.addresses = {{"169.254.169.254", {}}, {"fd00:ec2::254", {}}};
    imds.default_action = Action::Deny;
    return {imds};
}

} // namespace hostward::config
