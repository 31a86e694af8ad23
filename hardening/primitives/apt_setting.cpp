// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/apt_config.h"
#include "hardening/primitives/primitives.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kArguments{
    ArgumentSpec{"name", ValueType::Text, true, "as in apt.conf(5): `APT::Periodic::Unattended-Upgrade`", {}},
    ArgumentSpec{"none_of", ValueType::List, true, "values that it must not have; it must be set to something", {}},
};

Result<Outcome> evaluate(const Arguments& arguments, Facts& facts)
{
    const auto& config = facts.get<AptConfig>();
    if (!config) {
        return config.error();
    }
    const auto& name = arguments.text("name");
    const auto& refused = arguments.list("none_of");
    const std::string expected = name + " set, not to " + joined(refused, " or ");
    const auto* setting = config->find(name);
    if (setting == nullptr) {
        return Outcome::of(Verdict::Fail, {expected, "not set", "/etc/apt/apt.conf.d"});
    }
    const bool is_good = !setting->value.empty() && std::ranges::find(refused, setting->value) == refused.end();
    return Outcome::pass_if(is_good, {expected, setting->value, setting->origin.text()});
}

} // namespace

const Primitive kAptSettingPrimitive{"apt-setting", "A setting of apt is there and has no refused value.", kArguments,
                                     evaluate};

} // namespace hostward::hardening
