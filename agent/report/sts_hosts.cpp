// SPDX-License-Identifier: Apache-2.0
#include "agent/report/sts_hosts.h"

#include "agent/report/aws_endpoint.h"

#include <array>

namespace hostward::report {

namespace {

/// Regions by partition, each between spaces. https://docs.aws.amazon.com/general/latest/gr/sts.html
constexpr std::array kRegions{
    std::string_view(
        " af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2"
        " ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6"
        " ap-southeast-7 ca-central-1 ca-west-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2"
        " eu-west-1 eu-west-2 eu-west-3 il-central-1 me-central-1 me-south-1 mx-central-1 sa-east-1"
        " us-east-1 us-east-2 us-west-1 us-west-2 "),
    std::string_view(" cn-north-1 cn-northwest-1 "),
    std::string_view(" us-gov-east-1 us-gov-west-1 "),
    std::string_view(" eusc-de-east-1 "),
    std::string_view(" us-iso-east-1 us-iso-west-1 "),
    std::string_view(" us-isob-east-1 us-isob-west-1 "),
    std::string_view(" eu-isoe-west-1 "),
    std::string_view(" us-isof-east-1 us-isof-south-1 "),
};

/// The list's own text of it, which outlives what was asked; empty: not known.
std::string_view known(std::string_view region)
{
    if (region.empty() || region.find(' ') != region.npos) {
        return {};
    }
    for (const std::string_view regions : kRegions) {
        if (const auto at = regions.find(" " + std::string(region) + " "); at != regions.npos) {
            return regions.substr(at + 1, region.size());
        }
    }
    return {};
}

/// What follows `sts.` or `sts-fips.`, or nothing.
std::string_view without_service(std::string_view host)
{
    for (const std::string_view prefix : {"sts.", "sts-fips."}) {
        if (host.starts_with(prefix)) {
            return host.substr(prefix.size());
        }
    }
    return {};
}

} // namespace

std::optional<StsHost> sts_host(std::string_view host)
{
    const auto rest = without_service(host);
    const auto dot = rest.find('.');
    const auto region = known(rest.substr(0, dot));
    if (dot == rest.npos || region.empty()) {
        return std::nullopt;
    }
    const Partition& partition = aws_partition(region);
    const auto suffix = rest.substr(dot + 1);
    const bool fits = !suffix.empty() && (suffix == partition.suffix || suffix == partition.dual_stack_suffix);
    return fits ? std::optional(StsHost{region, partition.name}) : std::nullopt;
}

std::optional<std::string> sts_host_of(std::string_view region)
{
    if (known(region).empty()) {
        return std::nullopt;
    }
    return "sts." + std::string(region) + "." + std::string(aws_partition(region).suffix);
}

std::vector<StsHost> all_sts_regions()
{
    std::vector<StsHost> out;
    for (const std::string_view regions : kRegions) {
        for (std::size_t at = 1; at < regions.size();) {
            const auto end = regions.find(' ', at);
            const auto region = regions.substr(at, end - at);
            out.push_back({region, aws_partition(region).name});
            at = end + 1;
        }
    }
    return out;
}

} // namespace hostward::report
