// SPDX-License-Identifier: Apache-2.0
// The certificates in certificates/, compiled in: a host that is to be verified must not be able to change them.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/regions-certs.html
#pragma once

#include <span>
#include <string_view>

namespace hostward::report {

struct RegionCertificate {
    std::string_view region;
    std::string_view pem;
};

/// By region, bytewise order.
[[nodiscard]] std::span<const RegionCertificate> region_certificates();

} // namespace hostward::report
