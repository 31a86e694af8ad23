// SPDX-License-Identifier: Apache-2.0
// Names of systemd units and the cgroups they live in. Pure.
#pragma once

#include <string>
#include <string_view>

namespace hostward::guard {

/// The cgroup that systemd makes for a unit. Mostly the unit's own name; one that the kernel could take for one of
/// its files (`cpu.service`, `_a.service`) gets a `_` in front.
[[nodiscard]] std::string cgroup_of_unit(std::string_view unit);

/// The unit that a cgroup of systemd's stands for: the inverse.
[[nodiscard]] std::string_view unit_of_cgroup(std::string_view cgroup);

/// What of a unit's name that starts with `prefix` can come to stand in its cgroup's name.
enum class UnitEscape {
    Never,     ///< no such unit gets a `_`
    Sometimes, ///< it depends on what follows
    Always,
};
[[nodiscard]] UnitEscape unit_escape(std::string_view prefix);

} // namespace hostward::guard
