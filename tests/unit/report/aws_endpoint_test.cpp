// SPDX-License-Identifier: Apache-2.0
#include "agent/report/aws_endpoint.h"

#include <gtest/gtest.h>

namespace hostward::report {
namespace {

std::string host(std::string_view service, const std::string& region, bool fips = false, bool dual_stack = false)
{
    const auto url = aws_endpoint(service, {region, fips, dual_stack});
    return url ? url->substr(url->find("//") + 2) : url.error().text;
}

// As botocore's rules of endpoints give them.
TEST(AwsEndpoint, EveryPartition)
{
    EXPECT_EQ(host("sts", "eu-central-1"), "sts.eu-central-1.amazonaws.com");
    EXPECT_EQ(host("ssm", "cn-north-1"), "ssm.cn-north-1.amazonaws.com.cn");
    EXPECT_EQ(host("logs", "us-gov-west-1"), "logs.us-gov-west-1.amazonaws.com");
    EXPECT_EQ(host("sts", "eusc-de-east-1"), "sts.eusc-de-east-1.amazonaws.eu");
    EXPECT_EQ(host("sts", "us-iso-east-1"), "sts.us-iso-east-1.c2s.ic.gov");
    EXPECT_EQ(host("sts", "us-isob-east-1"), "sts.us-isob-east-1.sc2s.sgov.gov");
    EXPECT_EQ(host("sts", "eu-isoe-west-1"), "sts.eu-isoe-west-1.cloud.adc-e.uk");
    EXPECT_EQ(host("sts", "us-isof-south-1"), "sts.us-isof-south-1.csp.hci.ic.gov");
}

TEST(AwsEndpoint, FipsAndDualStack)
{
    EXPECT_EQ(host("securityhub", "us-east-1", true), "securityhub-fips.us-east-1.amazonaws.com");
    EXPECT_EQ(host("ssm", "us-east-1", false, true), "ssm.us-east-1.api.aws");
    EXPECT_EQ(host("ssm", "us-east-1", true, true), "ssm-fips.us-east-1.api.aws");
    EXPECT_EQ(host("logs", "cn-north-1", false, true), "logs.cn-north-1.api.amazonwebservices.com.cn");
    EXPECT_EQ(host("sts", "us-gov-west-1", true), "sts.us-gov-west-1.amazonaws.com");
    EXPECT_EQ(host("ssm", "us-gov-west-1", true), "ssm.us-gov-west-1.amazonaws.com");
    EXPECT_EQ(host("securityhub", "us-gov-west-1", true), "securityhub-fips.us-gov-west-1.amazonaws.com");
    EXPECT_FALSE(aws_endpoint("sts", {"us-iso-east-1", false, true}));
}

TEST(AwsEndpoint, S3HasNamesOfItsOwn)
{
    EXPECT_EQ(host("s3", "us-east-1"), "s3.us-east-1.amazonaws.com");
    EXPECT_EQ(host("s3", "eu-west-1", false, true), "s3.dualstack.eu-west-1.amazonaws.com");
    EXPECT_EQ(host("s3", "us-east-2", true), "s3-fips.us-east-2.amazonaws.com");
    EXPECT_EQ(host("s3", "us-east-2", true, true), "s3-fips.dualstack.us-east-2.amazonaws.com");
}

TEST(AwsEndpoint, ARegionIsNeverPartOfAnotherHost)
{
    for (const char* odd : {"", "x", "eu-central-1.example.com/", "eu-central-1/", "EU-CENTRAL-1", "eu central",
                            "a@b.example.com", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
        const auto url = aws_endpoint("sts", {odd, false, false});
        ASSERT_FALSE(url) << odd;
        EXPECT_EQ(url.error().kind, ErrorKind::Invalid);
    }
}

} // namespace
} // namespace hostward::report
