// SPDX-License-Identifier: Apache-2.0
// The semantics that AWS documents, one by one.
#include "tests/imds_sim/service.h"

#include <gtest/gtest.h>

#include <string>

namespace hostward::imds_sim {
namespace {

using std::chrono::seconds;

class ServiceTest : public testing::Test {
protected:
    Answer ask(const std::string& method, const std::string& target, std::vector<Header> headers = {})
    {
        Request request;
        request.method = method;
        request.target = target;
        request.headers = std::move(headers);
        return service_.answer(request, settings_, now_);
    }
    int status(const std::string& method, const std::string& target, std::vector<Header> headers = {})
    {
        return ask(method, target, std::move(headers)).response.status;
    }
    Answer put_token(const std::string& ttl)
    {
        return ask("PUT", "/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", ttl}});
    }
    std::string token(int ttl_seconds = 21600) { return put_token(std::to_string(ttl_seconds)).response.body; }
    static std::vector<Header> with(const std::string& token) { return {{"X-aws-ec2-metadata-token", token}}; }

    Service service_{Tree::builtin("plain").take(), TokenIssuer::create().take()};
    Settings settings_;
    Now now_{std::chrono::steady_clock::time_point(seconds(5000)), 1800000000};
};

constexpr const char* kItem = "/latest/meta-data/instance-id";

TEST_F(ServiceTest, GivesATokenAndEchoesItsTtl)
{
    const auto answer = put_token("60");
    EXPECT_EQ(answer.response.status, 200);
    ASSERT_EQ(answer.response.headers.size(), 1U);
    EXPECT_EQ(answer.response.headers[0].name, "X-aws-ec2-metadata-token-ttl-seconds");
    EXPECT_EQ(answer.response.headers[0].value, "60");
    EXPECT_TRUE(answer.is_put);
    EXPECT_EQ(answer.credential, Credential::TokenCall);
    EXPECT_EQ(status("GET", kItem, with(answer.response.body)), 200);
}

TEST_F(ServiceTest, TakesTtlsFromOneSecondToSixHours)
{
    EXPECT_EQ(put_token("1").response.status, 200);
    EXPECT_EQ(put_token("21600").response.status, 200);
    for (const auto* wrong : {"0", "21601", "-1", "+5", "", "abc", "60s", "6 0", "1.5", "99999999999999999999"}) {
        EXPECT_EQ(put_token(wrong).response.status, 400) << "TTL '" << wrong << "'";
    }
    EXPECT_EQ(status("PUT", "/latest/api/token"), 400) << "no TTL";
    const Header ttl{"X-aws-ec2-metadata-token-ttl-seconds", "60"};
    EXPECT_EQ(status("PUT", "/latest/api/token", {ttl, ttl}), 400) << "two TTLs";
}

TEST_F(ServiceTest, TokenExpiresWithItsTtl)
{
    const auto text = token(5);
    now_.steady += seconds(4);
    EXPECT_EQ(status("GET", kItem, with(text)), 200);
    now_.steady += seconds(1);
    const auto late = ask("GET", kItem, with(text));
    EXPECT_EQ(late.response.status, 401);
    EXPECT_EQ(late.credential, Credential::ExpiredToken);
}

TEST_F(ServiceTest, RequiresATokenWhenTokensAreRequired)
{
    const auto answer = ask("GET", kItem);
    EXPECT_EQ(answer.response.status, 401);
    EXPECT_EQ(answer.credential, Credential::None);
    EXPECT_EQ(status("HEAD", kItem), 401);
    EXPECT_EQ(status("GET", "/latest/nothing"), 401) << "an unknown item is told only with a token";
    EXPECT_EQ(status("GET", "/"), 401);
}

TEST_F(ServiceTest, AllowsVersionOneWhenTokensAreOptional)
{
    settings_.tokens_required = false;
    const auto answer = ask("GET", kItem);
    EXPECT_EQ(answer.response.status, 200);
    EXPECT_EQ(answer.response.body, "i-0123456789abcdef0");
    EXPECT_EQ(answer.credential, Credential::None);
    EXPECT_EQ(ask("GET", kItem, with(token())).credential, Credential::Token);
}

TEST_F(ServiceTest, RefusesAWrongTokenInBothModes)
{
    Service other(Tree::builtin("plain").take(), TokenIssuer::create().take());
    Request put;
    put.method = "PUT";
    put.target = "/latest/api/token";
    put.headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "60"}};
    const std::string foreign = other.answer(put, settings_, now_).response.body;
    for (const bool required : {true, false}) {
        settings_.tokens_required = required;
        EXPECT_EQ(status("GET", kItem, with("nonsense")), 401);
        EXPECT_EQ(status("GET", kItem, with("")), 401);
        EXPECT_EQ(status("GET", kItem, with(foreign)), 401) << "the token of another instance";
        const auto good = token();
        EXPECT_EQ(status("GET", kItem, {{"X-aws-ec2-metadata-token", good}, {"x-aws-ec2-metadata-token", good}}), 401);
    }
}

TEST_F(ServiceTest, RefusesAForwardedTokenCallOnly)
{
    const Header forwarded{"X-Forwarded-For", "10.0.0.1"};
    EXPECT_EQ(status("PUT", "/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", "60"}, forwarded}), 403);
    EXPECT_EQ(status("GET", kItem, {{"X-aws-ec2-metadata-token", token()}, forwarded}), 200);
}

TEST_F(ServiceTest, RefusesDatedTokenCalls)
{
    const Header ttl{"X-aws-ec2-metadata-token-ttl-seconds", "60"};
    EXPECT_EQ(status("PUT", "/2021-03-23/api/token", {ttl}), 403);
    EXPECT_EQ(status("PUT", "/1999-01-01/api/token", {ttl}), 405);
    EXPECT_EQ(status("PUT", "/latest/meta-data/", {ttl}), 405);
    EXPECT_EQ(status("PUT", "/latest/api/token/", {ttl}), 405);
    EXPECT_EQ(status("PUT", "/api/token", {ttl}), 405);
}

TEST_F(ServiceTest, KnowsItsMethods)
{
    EXPECT_EQ(status("HEAD", kItem, with(token())), 200);
    EXPECT_EQ(status("POST", kItem, with(token())), 405);
    EXPECT_EQ(status("DELETE", kItem, with(token())), 405);
    EXPECT_EQ(status("GET", "/latest/api/token", with(token())), 405);
    EXPECT_EQ(status("POST", "/latest/api/token"), 405);
}

TEST_F(ServiceTest, IsSilentWhenTheEndpointIsOff)
{
    const auto text = token();
    settings_.endpoint_enabled = false;
    EXPECT_EQ(put_token("60").response.status, 403);
    EXPECT_EQ(status("GET", kItem, with(text)), 403);
    EXPECT_EQ(status("GET", kItem), 403);
}

TEST_F(ServiceTest, AnswersPathsOfEveryVersion)
{
    const auto text = with(token());
    EXPECT_EQ(status("GET", "/2021-03-23/meta-data/instance-id", text), 200);
    EXPECT_EQ(status("GET", "/2009-04-04/meta-data/instance-id/", text), 200);
    EXPECT_EQ(status("GET", "/1999-01-01/meta-data/instance-id", text), 404);
    EXPECT_EQ(status("GET", "/latest/meta-data/nothing", text), 404);
    EXPECT_EQ(ask("GET", "/latest/", text).response.body, "dynamic\nmeta-data\nuser-data");
    EXPECT_EQ(ask("GET", "/latest/meta-data/public-keys/", text).response.body, "0=operations");
}

TEST_F(ServiceTest, DecodesPathsAndIgnoresQueries)
{
    const auto text = with(token());
    EXPECT_EQ(status("GET", "/latest/meta-data/instance%2Did?x=%zz", text), 200);
    EXPECT_EQ(status("GET", "/latest/meta-data/%", text), 400);
    EXPECT_EQ(status("GET", "/latest/meta-data/%4", text), 400);
    EXPECT_EQ(status("GET", "/latest/meta-data/%zz", text), 400);
    EXPECT_EQ(status("GET", "/latest/meta-data/%00", text), 400);
    EXPECT_EQ(status("GET", "/latest/meta-data/%0a", text), 400);
}

TEST_F(ServiceTest, AnswersTheFaultStatusInItsScope)
{
    const auto text = with(token());
    settings_.faults.status = 500;
    settings_.faults.scope = FaultScope::Get;
    EXPECT_EQ(put_token("60").response.status, 200);
    EXPECT_EQ(status("GET", kItem, text), 500);
    settings_.faults.scope = FaultScope::Token;
    EXPECT_EQ(put_token("60").response.status, 500);
    EXPECT_EQ(status("GET", kItem, text), 200);
    settings_.faults.scope = FaultScope::All;
    EXPECT_EQ(put_token("60").response.status, 500);
    EXPECT_EQ(status("GET", kItem, text), 500);
}

TEST_F(ServiceTest, ThrottlesWith503AndRecovers)
{
    const auto text = with(token());
    settings_.faults.throttle_per_second = 2;
    EXPECT_EQ(status("GET", kItem, text), 200);
    EXPECT_EQ(status("GET", kItem, text), 200);
    const auto third = ask("GET", kItem, text);
    EXPECT_EQ(third.response.status, 503);
    EXPECT_TRUE(third.throttled);
    now_.steady += seconds(1);
    EXPECT_EQ(status("GET", kItem, text), 200);
}

} // namespace
} // namespace hostward::imds_sim
