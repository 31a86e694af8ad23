// SPDX-License-Identifier: Apache-2.0
#include "agent/config/report_config.h"
#include "agent/config/report_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hostward::config {
namespace {

using testing::HasSubstr;

std::string error_of(const std::string& text)
{
    const auto parsed = parse_report(text, "report.toml");
    return parsed.ok() ? "accepted" : parsed.error().text;
}

TEST(ReportConfig, NothingWrittenIsOneLocalFolder)
{
    const auto config = parse_report("", "report.toml");
    ASSERT_TRUE(config.ok()) << config.error().text;
    ASSERT_EQ(config->sinks.size(), 1U);
    EXPECT_EQ(config->sinks[0].type, SinkType::File);
    EXPECT_EQ(config->sinks[0].path, "/var/lib/hostward/reports");
    EXPECT_EQ(config->sinks[0].keep, kKeepDefault);
    EXPECT_EQ(config->proof, ProofChoice::Auto);
    EXPECT_TRUE(config->profiles.empty());
}

TEST(ReportConfig, ReadsEverySetting)
{
    const auto config = parse_report(R"(
[report]
audience = "https://posture.example.com"
proof = "web-identity"
sts_endpoint = "https://vpce-1.sts.eu-central-1.vpce.amazonaws.com"
profiles = ["ec2", "cis-debian-12"]
interval = "12h"
splay = "0s"
state_dir = "/srv/hostward"
spool_size = "1GiB"

[sink.archive]
type = "s3"
bucket = "posture.example"
prefix = "prod/"
region = "eu-west-1"
expected_bucket_owner = "111122223333"
endpoint = "http://127.0.0.1:9000"
fips = true
dual_stack = true
proxy = "http://proxy.example:3128"
ca_file = "/etc/ca.pem"
timeout = "10s"
audience = "other"

[sink.collector]
type = "https"
url = "https://collector.example/v1/reports?team=a"
client_certificate = "/etc/hostward/client.pem"
client_key = "/etc/hostward/client.key"

[sink.compliance]
type = "ssm-compliance"

[sink.inventory]
type = "ssm-inventory"

[sink.logs]
type = "cloudwatch-logs"
log_group = "/fleet/posture"

[sink.hub]
type = "securityhub"
)",
                                     "report.toml");
    ASSERT_TRUE(config.ok()) << config.error().text;
    EXPECT_EQ(config->interval, std::chrono::hours(12));
    EXPECT_EQ(config->splay, std::chrono::seconds(0));
    EXPECT_EQ(config->spool_bytes_max, 1ULL << 30);
    EXPECT_THAT(config->profiles, testing::ElementsAre("ec2", "cis-debian-12"));
    ASSERT_EQ(config->sinks.size(), 6U); // in the order of their names
    EXPECT_EQ(config->sinks[0].name, "archive");
    EXPECT_EQ(config->sinks[0].place.text(), "report.toml:12");
    EXPECT_EQ(config->sinks[0].timeout, std::chrono::seconds(10));
    EXPECT_TRUE(config->sinks[0].fips && config->sinks[0].dual_stack);
    EXPECT_EQ(config->sinks[2].compliance_type, "Custom:Hostward");
    EXPECT_EQ(config->sinks[4].path, "/var/lib/amazon/ssm");
}

struct Bad {
    const char* text;
    const char* says;
};

TEST(ReportConfig, RefusesWithPlaceAndWhatIsAllowed)
{
    const std::vector<Bad> all{
        {"[guard]\nmode = \"audit\"", "report.toml:1: unknown key \"guard\": allowed are \"report\", \"sink\""},
        {"[report]\naudence = \"a\"", "report.toml:2: unknown key \"report.audence\""},
        {"[report]\naudience = \"a b\"", "allowed is 1 to 256 printable ASCII"},
        {"[report]\naudience = \"a\\r\\nX-Evil: 1\"", "allowed is 1 to 256 printable ASCII"},
        {"[report]\nproof = \"strong\"", "allowed are \"auto\", \"web-identity\", \"document\", \"none\""},
        {"[report]\ninterval = \"10s\"", "from 60 to 604800 seconds"},
        {"[report]\ninterval = 600", "report.toml:2: report.interval"},
        {"[report]\ninterval = \"99999999999999999999d\"", "from 60 to 604800 seconds"},
        {"[report]\nspool_size = \"64MB\"", "from \"1MiB\" to \"16GiB\""},
        {"[report]\nstate_dir = \"var\"", "allowed is an absolute path"},
        {"[report]\nsts_endpoint = \"http://sts.example.com\"", "https://HOST"},
        {"[report]\nsts_endpoint = \"https://sts.example.com/path\"", "https://HOST"},
        {"[report]\nprofiles = []", "allowed is an array of 1 to 16"},
        {"[report]\nprofiles = [\"../x\"]", "allowed is the id of a profile"},
        {"report = 3", "allowed is a table"},
        {"sink = 3", "allowed are tables"},
        {"[sink.a]\nbucket = \"b\"", "report.toml:1: sink.a.type is missing"},
        {"[sink.a]\ntype = \"ftp\"", "allowed are \"file\", \"https\", \"s3\""},
        {"[sink.A]\ntype = \"file\"", "the sink's name is \"A\""},
        {"[sink.\"../a\"]\ntype = \"file\"", "the sink's name is \"../a\""},
        {"[sink.a]\ntype = \"https\"", "sink.a.url is missing"},
        {"[sink.a]\ntype = \"https\"\nurl = \"http://collector.example/\"", "http to 127.0.0.1"},
        {"[sink.a]\ntype = \"https\"\nurl = \"http://127.0.0.1.example/\"", "http to 127.0.0.1"},
        {"[sink.a]\ntype = \"https\"\nurl = \"http://localhost@example.com/\"", "http to 127.0.0.1"},
        {"[sink.a]\ntype = \"https\"\nurl = \"https:"
         "//me@collector.example/\"",
         "without user"},
        {"[sink.a]\ntype = \"https\"\nurl = \"file:///etc/passwd\"", "an https URL"},
        {"[sink.a]\ntype = \"s3\"", "sink.a.bucket is missing"},
        {"[sink.a]\ntype = \"s3\"\nbucket = \"a/b\"", "allowed is 3 to 63"},
        {"[sink.a]\ntype = \"s3\"\nbucket = \"bbb\"\nprefix = \"x\"", "end in one /"},
        {"[sink.a]\ntype = \"s3\"\nbucket = \"bbb\"\nurl = \"https://collector.example\"",
         "unknown key \"sink.a.url\""},
        {"[sink.a]\ntype = \"s3\"\nbucket = \"bbb\"\nfips = \"yes\"", "allowed are true and false"},
        {"[sink.a]\ntype = \"file\"\nkeep = 0", "allowed are 1 to 10000"},
        {"[sink.a]\ntype = \"https\"\nurl = \"https://collector.example\"\nclient_key = \"/k\"", "they go together"},
        {"[sink.a]\ntype = \"https\"\nurl = \"https://collector.example\"\nproxy = \"http:"
         "//me@proxy.example:1\"",
         "without user and password"},
        {"[sink.a]\ntype = \"https\"\nurl = \"https://collector.example\"\ntimeout = \"0s\"", "from 1 to 300 seconds"},
        {"[sink.a]\ntype = \"ssm-compliance\"\ncompliance_type = \"Patch\"", "\"Custom:NAME\""},
    };
    for (const auto& [text, says] : all) {
        EXPECT_THAT(error_of(text), HasSubstr(says)) << text;
    }
}

TEST(ReportConfig, NamesAllErrorsAtOnce)
{
    const std::string error = error_of("[report]\nproof = 1\nsplay = \"x\"\n[sink.a]\ntype = \"s3\"\n");
    EXPECT_THAT(error, HasSubstr("report.toml:2"));
    EXPECT_THAT(error, HasSubstr("report.toml:3"));
    EXPECT_THAT(error, HasSubstr("sink.a.bucket is missing"));
}

TEST(ReportConfig, MissingFileIsTheDefaults)
{
    const auto config = load_report("/nonexistent/report.toml", std::nullopt);
    ASSERT_TRUE(config.ok()) << config.error().text;
    EXPECT_EQ(config->sinks.size(), 1U);
}

TEST(ReportValues, NumbersWithUnits)
{
    EXPECT_EQ(parse_duration("90s"), std::chrono::seconds(90));
    EXPECT_EQ(parse_duration("7d"), std::chrono::hours(168));
    for (const auto* bad : {"", "s", "7", "-7s", "7 s", "7w", "18446744073709551615d", "7s "}) {
        EXPECT_FALSE(parse_duration(bad)) << bad;
    }
    EXPECT_EQ(parse_size("512KiB"), 512U << 10);
    EXPECT_FALSE(parse_size("1TiB"));
}

} // namespace
} // namespace hostward::config
