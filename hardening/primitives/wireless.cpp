// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"

#include "hardening/models/modprobe.h"

namespace hostward::hardening {

namespace {

constexpr auto kInterfaces = "/sys/class/net";

/// The module of an interface's driver; empty: it is built in or the interface has none.
Result<std::string> driver_of(const host::Host& host, const std::string& interface)
{
    const auto target = host.link_target(std::string(kInterfaces) + "/" + interface + "/device/driver/module");
    if (!target) {
        return target.error().kind == ErrorKind::NotFound ? Result<std::string>(std::string())
                                                          : Result<std::string>(target.error());
    }
    return target->substr(target->rfind('/') + 1);
}

Result<Outcome> judge(const host::Host& host, const ModprobeConfig& config, const std::string& interface)
{
    TRY_ASSIGN(const auto module, driver_of(host, interface));
    const std::string where = std::string(kInterfaces) + "/" + interface;
    if (module.empty()) {
        return Outcome::of(Verdict::Fail,
                           {"no wireless interface", interface + " with a driver that is no module", where});
    }
    const auto* install = config.install_of(module);
    const bool is_blocked =
        install != nullptr && loads_nothing(install->command) && config.blacklisting(module) != nullptr;
    // The interface is there, so the module is loaded: blocked or not, it works until the next boot.
    return Outcome::of(Verdict::Fail,
                       {"no wireless interface",
                        interface + " of " + module + (is_blocked ? ", blocked for the next boot" : ", not blocked"),
                        is_blocked ? install->where.text() : where});
}

Result<Outcome> evaluate_no_wireless(const Arguments& /*arguments*/, Facts& facts)
{
    const auto& host = facts.host();
    const auto& config = facts.get<ModprobeConfig>();
    if (!config) {
        return config.error();
    }
    if (!host.is_running()) {
        return Outcome::cannot_tell("which interfaces there will be is not in an image");
    }
    TRY_ASSIGN(const auto interfaces, host.list(kInterfaces));
    std::vector<Outcome> parts;
    for (const auto& interface : interfaces) {
        const std::string folder = std::string(kInterfaces) + "/" + interface;
        TRY_ASSIGN(const bool has_extensions, host::exists(host, folder + "/wireless"));
        TRY_ASSIGN(const bool has_phy, host::exists(host, folder + "/phy80211"));
        if (has_extensions || has_phy) {
            TRY_ASSIGN(auto outcome, judge(host, *config, interface));
            parts.push_back(std::move(outcome));
        }
    }
    return parts.empty() ? Outcome::of(Verdict::Pass, {"no wireless interface", "none", kInterfaces}) : all_of(parts);
}

} // namespace

const Primitive kNoWirelessPrimitive{"no_wireless", "No network interface is wireless.", {}, evaluate_no_wireless};

} // namespace hostward::hardening
