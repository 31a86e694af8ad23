// SPDX-License-Identifier: Apache-2.0
// The names under which AWS answers for STS: a fixed list, so that no proof can choose who vouches for it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::report {

struct StsHost {
    std::string_view region;
    std::string_view partition; ///< as in ARNs
};

/// Regional, FIPS and dual-stack names of every region known; nothing for any other name, the global one included.
[[nodiscard]] std::optional<StsHost> sts_host(std::string_view host);

/// The usual name for a region; nothing for a region that is not known.
[[nodiscard]] std::optional<std::string> sts_host_of(std::string_view region);

[[nodiscard]] std::vector<StsHost> all_sts_regions();

} // namespace hostward::report
