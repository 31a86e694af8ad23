// SPDX-License-Identifier: Apache-2.0
// What a cgroup path is good for as an identity that still holds tomorrow. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hostward::guard {

struct Place {
    std::string unit;    ///< for a rule's `unit`, maybe with one `*`; empty: none that is stable
    std::string cgroup;  ///< for a rule's `cgroup`, where there is no unit; empty: none
    std::string runtime; ///< "docker", "podman", "kubernetes" ...: empty outside what names a container runtime
    /// The unit runs other people's commands (cron, sshd, ...): it says who started a program, not what it is.
    bool is_runner = false;
    /// One of several instances whose names are numbers or ids: `unit` is the pattern of all of them.
    bool is_pattern = false;
    /// Slice of a login user ("user-1000.slice"). Its owner decides what runs below, as whom is not his choice.
    std::string login_slice;
    std::string why_not; ///< why there is neither unit nor cgroup, one clause; empty if there is one
};

/// `path`: below the guarded cgroup, as in an event ("/a/b"). Only names that the system's service manager or root
/// makes count: what is below user@N.service is its user's to name.
[[nodiscard]] Place stable_place(std::string_view path);

} // namespace hostward::guard
