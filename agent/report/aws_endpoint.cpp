// SPDX-License-Identifier: Apache-2.0
#include "agent/report/aws_endpoint.h"

#include "agent/base/text.h"

#include <algorithm>
#include <array>

namespace hostward::report {

namespace {

// The last one is that of every other region.
constexpr std::array<Partition, 9> kPartitions{{
    {"aws-cn", "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    {"aws-us-gov", "us-gov-", "amazonaws.com", "api.aws"},
    {"aws-eusc", "eusc-", "amazonaws.eu", "api.amazonwebservices.eu"},
    {"aws-iso", "us-iso-", "c2s.ic.gov", ""},
    {"aws-iso-b", "us-isob-", "sc2s.sgov.gov", ""},
    {"aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", ""},
    {"aws-iso-f", "us-isof-", "csp.hci.ic.gov", ""},
    {"aws-iso-f", "eu-isof-", "csp.hci.ic.gov", ""},
    {"aws", "", "amazonaws.com", "api.aws"},
}};

/// In GovCloud these are FIPS endpoints under their plain names.
bool is_plain_name_fips(const Partition& partition, std::string_view service)
{
    constexpr std::array<std::string_view, 3> kPlain{"sts", "ssm", "logs"};
    return partition.name == "aws-us-gov" && std::ranges::find(kPlain, service) != kPlain.end();
}

std::string s3_host(const EndpointChoice& choice, const Partition& partition)
{
    std::string out = choice.fips ? "s3-fips." : "s3.";
    out += choice.dual_stack ? "dualstack." : "";
    return out + choice.region + "." + std::string(partition.suffix);
}

} // namespace

const Partition& aws_partition(std::string_view region)
{
    return *std::ranges::find_if(kPartitions, [&](const Partition& one) { return region.starts_with(one.prefix); });
}

bool is_region_name(std::string_view region)
{
    return region.size() >= 5 && region.size() <= 32 && std::ranges::all_of(region, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
           });
}

Result<std::string> aws_endpoint(std::string_view service, const EndpointChoice& choice)
{
    if (!is_region_name(choice.region)) {
        return invalid_error(quote(choice.region) + " is no region");
    }
    const Partition& partition = aws_partition(choice.region);
    if (choice.dual_stack && partition.dual_stack_suffix.empty()) {
        return Error{ErrorKind::Unsupported, 0,
                     "the partition " + std::string(partition.name) + " has no dual-stack endpoints"};
    }
    const std::string scheme = "https://";
    if (service == "s3") {
        return scheme + s3_host(choice, partition);
    }
    const bool has_fips_name = choice.fips && (choice.dual_stack || !is_plain_name_fips(partition, service));
    const std::string_view suffix = choice.dual_stack ? partition.dual_stack_suffix : partition.suffix;
    return scheme + std::string(service) + (has_fips_name ? "-fips." : ".") + choice.region + "." + std::string(suffix);
}

} // namespace hostward::report
