// SPDX-License-Identifier: Apache-2.0
// Names of AWS services by region. https://docs.aws.amazon.com/general/latest/gr/rande.html
#pragma once

#include "agent/base/result.h"

#include <string>
#include <string_view>

namespace hostward::report {

struct Partition {
    std::string_view name;              ///< `aws`, `aws-cn`, ...: part of ARNs
    std::string_view prefix;            ///< of its regions' names; empty: every other region
    std::string_view suffix;            ///< of its host names
    std::string_view dual_stack_suffix; ///< empty: it has no dual-stack names
};

[[nodiscard]] const Partition& aws_partition(std::string_view region);

/// 5 to 32 of a-z, 0-9 and `-`: it becomes part of host names.
[[nodiscard]] bool is_region_name(std::string_view region);

struct EndpointChoice {
    std::string region;
    bool fips = false;
    bool dual_stack = false;
};

/// Scheme and host of the URL of a service: sts, s3, securityhub, ssm or logs. Invalid: no region name. Unsupported:
/// the partition has no such names.
[[nodiscard]] Result<std::string> aws_endpoint(std::string_view service, const EndpointChoice& choice);

} // namespace hostward::report
