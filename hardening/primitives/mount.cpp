// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"

#include "hardening/models/boot_mounts.h"
#include "hardening/models/fstab.h"
#include "hardening/models/lines.h"
#include "hardening/models/mounts.h"

#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kMountArguments{
    ArgumentSpec{"path", ValueType::Path, true, "where something must be mounted", {}},
};
constexpr std::array kOptionArguments{
    ArgumentSpec{"path", ValueType::Path, true, "a mount point; not applicable where nothing is mounted", {}},
    ArgumentSpec{"option", ValueType::Text, true, "an option that the mount must have: `nodev`", {}},
};

constexpr auto kConfigured = "/etc/fstab, *.mount units";

/// Both sides of a mount point. `now`: null for an image and where nothing is mounted.
struct Sides {
    const Mount* now = nullptr;
    std::string now_where;
    std::optional<BootMount> boot;
};

Result<Sides> sides_of(Facts& facts, const std::string& path)
{
    Sides sides;
    if (facts.host().is_running()) {
        const auto& mounts = facts.get<Mounts>();
        if (!mounts) {
            return mounts.error();
        }
        sides.now = mounts->at(path);
        sides.now_where = mounts->where;
    }
    TRY_ASSIGN(sides.boot, mount_at_boot(facts, path));
    return sides;
}

std::string shown(const std::vector<std::string>& options)
{
    return options.empty() ? "no options" : joined(options, ",");
}

Result<Outcome> evaluate_mount(const Arguments& arguments, Facts& facts)
{
    const auto& path = arguments.text("path");
    TRY_ASSIGN(const Sides sides, sides_of(facts, path));
    std::vector<Outcome> parts;
    if (facts.host().is_running()) {
        parts.push_back(
            Outcome::pass_if(sides.now != nullptr, {"a mount",
                                                    sides.now == nullptr ? "nothing is mounted on " + path + " now"
                                                                         : sides.now->type + " of " + sides.now->source,
                                                    sides.now_where}));
    }
    parts.push_back(Outcome::pass_if(
        sides.boot.has_value(),
        {"mounted at boot", sides.boot ? path + " is mounted at boot" : "nothing mounts " + path + " at the next boot",
         sides.boot ? sides.boot->where.text() : kConfigured}));
    return all_of(parts);
}

Result<Outcome> evaluate_mount_option(const Arguments& arguments, Facts& facts)
{
    const auto& path = arguments.text("path");
    const auto& option = arguments.text("option");
    TRY_ASSIGN(const Sides sides, sides_of(facts, path));
    if (sides.now == nullptr && !sides.boot) {
        return Outcome::not_applicable(path + " is no mount of its own");
    }
    std::vector<Outcome> parts;
    if (sides.now != nullptr) {
        parts.push_back(
            Outcome::pass_if(sides.now->has(option), {option, shown(sides.now->options) + " now", sides.now_where}));
    }
    if (sides.boot) {
        parts.push_back(
            Outcome::pass_if(options_give(sides.boot->options, option),
                             {option, shown(sides.boot->options) + " at the next boot", sides.boot->where.text()}));
    }
    return all_of(parts);
}

} // namespace

const Primitive kMountPrimitive{"mount", "Something is mounted there, now and at the next boot.", kMountArguments,
                                evaluate_mount};
const Primitive kMountOptionPrimitive{"mount_option",
                                      "If something is mounted there, it has the option, now and at the next boot.",
                                      kOptionArguments, evaluate_mount_option};

} // namespace hostward::hardening
