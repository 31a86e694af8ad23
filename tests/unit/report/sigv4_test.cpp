// SPDX-License-Identifier: Apache-2.0
// The signer where AWS's conformance suite says nothing: S3's own rules, bounds, dates.
#include "agent/report/sigv4.h"

#include "agent/report/sigv4_canonical.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hostward::report {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const AwsKeys kKeys{"AKIDEXAMPLE", "secret", ""};
const AwsKeys kTemporary{"ASIAEXAMPLE", "secret", "token/with+chars=="};
constexpr std::int64_t kTime = 1440938160; // 2015-08-30T12:36:00Z

SigningScope scope(const std::string& service) { return {"eu-west-1", service, kTime}; }

SigningSteps steps(const std::string& url, const std::string& service, const AwsKeys& keys = kKeys)
{
    const HttpRequest request{"PUT", url, {}, "body"};
    const auto done = sign_headers_in_steps(request, keys, scope(service), rules_for(service));
    EXPECT_TRUE(done.ok());
    return done.ok() ? done->steps : SigningSteps{};
}

std::string path_line(const std::string& canonical_request)
{
    const auto first = canonical_request.find('\n') + 1;
    return canonical_request.substr(first, canonical_request.find('\n', first) - first);
}

TEST(SigV4, S3EncodesTheKeyOnceAndEqualsIsEncoded)
{
    const std::string host = "https://bucket.example.com";
    const auto expected = "/posture/v1/account%3D123456789012/dt%3D2026-11-21/i-1.json.gz";
    EXPECT_EQ(
        path_line(steps(host + "/posture/v1/account=123456789012/dt=2026-11-21/i-1.json.gz", "s3").canonical_request),
        expected);
    EXPECT_EQ(
        path_line(
            steps(host + "/posture/v1/account%3D123456789012/dt%3D2026-11-21/i-1.json.gz", "s3").canonical_request),
        expected);
    EXPECT_EQ(path_line(steps(host + "/a%3db", "s3").canonical_request), "/a%3Db");
    EXPECT_EQ(path_line(steps(host + "/a+b c*", "s3").canonical_request), "/a%2Bb%20c%2A");
    EXPECT_EQ(path_line(steps(host + "/%7Eok~-._", "s3").canonical_request), "/~ok~-._");
}

TEST(SigV4, S3PathsAreNeverNormalised)
{
    for (const std::string path : {"/a/../b", "//a//", "/./a", "/a/.", "/.."}) {
        EXPECT_EQ(path_line(steps("https://bucket.example.com" + path, "s3").canonical_request), path);
    }
}

TEST(SigV4, OtherServicesEncodeTwiceAndNormalise)
{
    EXPECT_EQ(path_line(steps("https://host.example.com/a%3Db", "logs").canonical_request), "/a%253Db");
    EXPECT_EQ(path_line(steps("https://host.example.com/a/../b//c/./", "logs").canonical_request), "/b/c/");
    EXPECT_EQ(path_line(steps("https://host.example.com", "logs").canonical_request), "/");
    EXPECT_EQ(path_line(steps("https://host.example.com/../..", "logs").canonical_request), "/");
}

TEST(SigV4, S3SendsTheHashOfTheBody)
{
    const HttpRequest request{"PUT", "https://bucket.example.com/k", {}, "body"};
    const auto done = sign_headers(request, kKeys, scope("s3"), rules_for("s3"));
    ASSERT_TRUE(done.ok());
    const HttpResponse view{0, done->headers, {}};
    EXPECT_EQ(view.header("X-Amz-Content-SHA256"), sha256_hex("body"));
    EXPECT_THAT(std::string(*view.header("Authorization")), HasSubstr("host;x-amz-content-sha256;x-amz-date"));
    EXPECT_THAT(steps("https://host.example.com/", "sts").canonical_request, Not(HasSubstr("x-amz-content-sha256")));
}

TEST(SigV4, GivenPayloadHashIsBelieved)
{
    const HttpRequest request{
        "PUT", "https://bucket.example.com/k", {{"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}}, "body"};
    const auto done = sign_headers_in_steps(request, kKeys, scope("s3"), rules_for("s3"));
    ASSERT_TRUE(done.ok());
    EXPECT_TRUE(done->steps.canonical_request.ends_with("\nUNSIGNED-PAYLOAD"));
    EXPECT_EQ(done->request.headers.size(), 3U);
}

TEST(SigV4, SessionTokenIsSigned)
{
    EXPECT_THAT(steps("https://host.example.com/", "sts", kTemporary).canonical_request,
                HasSubstr("x-amz-security-token:token/with+chars==\n"));
}

TEST(SigV4, HostIsWhatTheClientSends)
{
    const auto host_line = [](const std::string& url) {
        const auto text = steps(url, "sts").canonical_request;
        const auto at = text.find("host:");
        return text.substr(at, text.find('\n', at) - at);
    };
    EXPECT_EQ(host_line("https://host.example.com:443/"), "host:host.example.com");
    EXPECT_EQ(host_line("http://host.example.com:80/"), "host:host.example.com");
    EXPECT_EQ(host_line("http://127.0.0.1:5000/"), "host:127.0.0.1:5000");
    EXPECT_EQ(host_line("https://host.example.com:80/"), "host:host.example.com:80");
    EXPECT_EQ(host_line("https://host.example.com?a"), "host:host.example.com");
}

TEST(SigV4, QueriesAreSortedByTheirEncodedForm)
{
    EXPECT_EQ(canonical_query(parse_query("b=2&a=%2f&a=&c&A=+&a=%zz")), "A=%2B&a=&a=%25zz&a=%2F&b=2&c=");
    EXPECT_EQ(canonical_query(parse_query("")), "");
    EXPECT_EQ(canonical_query(parse_query("&&a=1&")), "a=1");
    EXPECT_EQ(canonical_query(parse_query("a=b=c")), "a=b%3Dc");
}

TEST(SigV4, RefusesWhatItCannotSign)
{
    const auto refused = [](const HttpRequest& request, const AwsKeys& keys, const SigningScope& where) {
        return !sign_headers(request, keys, where, rules_for(where.service)).ok();
    };
    const HttpRequest good{"GET", "https://host.example.com/", {}, ""};
    EXPECT_FALSE(refused(good, kKeys, scope("sts")));
    EXPECT_TRUE(refused({"GET", "ftp://host.example.com/", {}, ""}, kKeys, scope("sts")));
    EXPECT_TRUE(refused({"GET", "/path", {}, ""}, kKeys, scope("sts")));
    EXPECT_TRUE(refused({"GET", "https://localhost@host.example.com/", {}, ""}, kKeys, scope("sts")));
    EXPECT_TRUE(refused({"GET", "https://host.example.com/#f", {}, ""}, kKeys, scope("sts")));
    EXPECT_TRUE(refused({"GET", good.url, {{"authorization", "x"}}, ""}, kKeys, scope("sts")));
    EXPECT_TRUE(refused({"GET", good.url, {{"X-AMZ-Date", "x"}}, ""}, kKeys, scope("sts")));
    EXPECT_TRUE(refused(good, {"", "secret", ""}, scope("sts")));
    EXPECT_TRUE(refused(good, {"id", "", ""}, scope("sts")));
    EXPECT_TRUE(refused(good, kKeys, {"", "sts", kTime}));
    EXPECT_TRUE(refused(good, kKeys, {"eu-west-1", "sts", 253402300800}));
}

TEST(SigV4, PresignedUrlsHaveBounds)
{
    const HttpRequest request{"GET", "https://bucket.example.com/k?a=b", {}, ""};
    const auto rules = rules_for("s3");
    for (const int expires : {0, -1, 604801}) {
        EXPECT_FALSE(presigned_url(request, kKeys, scope("s3"), rules, expires).ok());
    }
    const auto url = presigned_url(request, kTemporary, scope("s3"), rules, 604800);
    ASSERT_TRUE(url.ok());
    EXPECT_THAT(*url, StartsWith("https://bucket.example.com/k?a=b&X-Amz-Algorithm=AWS4-HMAC-SHA256&"));
    EXPECT_THAT(*url, HasSubstr("&X-Amz-Security-Token=token%2Fwith%2Bchars%3D%3D&X-Amz-Signature="));
    HttpRequest again = request;
    again.url = *url;
    EXPECT_FALSE(presigned_url(again, kKeys, scope("s3"), rules, 60).ok());
}

TEST(SigV4, ErrorsHoldNoSecret)
{
    const auto result = sign_headers({"GET", "nonsense", {}, ""}, {"id", "SECRETKEY", "SECRETTOKEN"}, scope("sts"), {});
    ASSERT_FALSE(result.ok());
    EXPECT_THAT(result.error().text, Not(HasSubstr("SECRET")));
}

TEST(AmzDate, BothWays)
{
    EXPECT_EQ(amz_date(kTime), "20150830T123600Z");
    EXPECT_EQ(amz_date(0), "19700101T000000Z");
    EXPECT_EQ(parse_amz_date("20150830T123600Z"), kTime);
    EXPECT_EQ(parse_amz_date("20240229T235959Z"), 1709251199);
    for (const auto* text : {"", "20150830T123600", "20150230T123600Z", "20150830T246000Z", "20150830 123600Z",
                             "2015-830T123600Z", "20150830T1236-1Z", "20150830T12360 Z", "+0150830T123600Z"}) {
        EXPECT_EQ(parse_amz_date(text), std::nullopt) << text;
    }
}

} // namespace
} // namespace hostward::report
