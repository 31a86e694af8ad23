// SPDX-License-Identifier: Apache-2.0
// Which mounts a sweep over the file system walks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

/// The id of a root that mountinfo does not list; the kernel numbers from 1.
inline constexpr std::uint64_t kUnlistedMount = 0;

struct SweepMount {
    std::uint64_t id = kUnlistedMount;
    std::string point; ///< where it is mounted
    std::string root;  ///< which directory of its file system that is
    std::string type;
    std::uint64_t device = 0; ///< as st_dev
};

struct SweepPlan {
    std::vector<SweepMount> walk;
    std::vector<SweepMount> skipped; ///< of other hosts, of the kernel, read-only packed, or seen through another mount
};

/// Whether a file system of this type keeps files of this host. Unknown types do.
[[nodiscard]] bool is_swept(std::string_view type);

/// All of the text of /proc/self/mountinfo. Each file system once, by the mount that shows most of it; merged trees of
/// overlays are not walked (their layers are), unless one is the root. In a chroot without a mount at / that is walked,
/// too.
[[nodiscard]] SweepPlan plan_sweep(std::string_view mountinfo);

} // namespace hostward::hardening
