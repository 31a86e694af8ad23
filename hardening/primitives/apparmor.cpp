// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"

#include "hardening/models/apparmor.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kArguments{
    ArgumentSpec{"modes", ValueType::List, true, "modes, one of which every loaded profile must have: `enforce`", {}},
};

constexpr auto kProfiles = "/sys/kernel/security/apparmor/profiles";

bool has_profile(const Apparmor& apparmor, const std::string& executable)
{
    return std::ranges::find(apparmor.profiles, executable, &ApparmorProfile::name) != apparmor.profiles.end();
}

Result<Outcome> evaluate_apparmor(const Arguments& arguments, Facts& facts)
{
    const auto& apparmor = facts.get<Apparmor>();
    if (!apparmor) {
        return apparmor.error();
    }
    if (!apparmor->is_on) {
        return Outcome::of(Verdict::Fail, {"AppArmor on", "the running kernel does not have it on",
                                           "/sys/module/apparmor/parameters/enabled"});
    }
    const auto& modes = arguments.list("modes");
    std::vector<Outcome> parts{Outcome::pass_if(
        !apparmor->profiles.empty(), {"profiles", std::to_string(apparmor->profiles.size()) + " loaded", kProfiles})};
    for (const auto& profile : apparmor->profiles) {
        if (std::ranges::find(modes, profile.mode) == modes.end()) {
            parts.push_back(Outcome::of(Verdict::Fail, {modes.front(), profile.name + ": " + profile.mode, kProfiles}));
        }
    }
    for (const auto& process : apparmor->processes) {
        if (process.profile == "unconfined" && has_profile(*apparmor, process.executable)) {
            parts.push_back(
                Outcome::of(Verdict::Fail, {"confined by its profile", process.executable + " runs unconfined",
                                            "/proc/" + std::to_string(process.pid) + "/attr/apparmor/current"}));
        }
    }
    return all_of(parts);
}

} // namespace

const Primitive kApparmorPrimitive{
    "apparmor",
    "AppArmor is on, every loaded profile has one of the modes, and nothing that has a profile runs without.",
    kArguments, evaluate_apparmor};

} // namespace hostward::hardening
