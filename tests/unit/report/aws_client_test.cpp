// SPDX-License-Identifier: Apache-2.0
#include "agent/report/aws_client.h"

#include "agent/report/retry.h"

#include <gmock/gmock.h>

#include <deque>

namespace hostward::report {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr std::int64_t kNow = 1'790'000'000; // 2026-09-21T14:13:20Z
constexpr auto kToken = "session-token-that-nobody-may-see";

HttpResponse answer(int status, const std::string& body = "{}", const std::string& date = "")
{
    HttpResponse out{status, {}, body};
    if (!date.empty()) {
        out.headers.push_back({"Date", date});
    }
    return out;
}

HttpResponse fault(int status, const std::string& code, const std::string& message = "", const std::string& date = "")
{
    return answer(status, R"({"__type":"namespace#)" + code + R"(","message":")" + message + "\"}", date);
}

/// What the script says, one answer for each request; the requests are kept.
struct Script {
    std::deque<HttpResult> answers;
    std::vector<HttpRequest> sent;
    std::vector<std::int64_t> asked; ///< times at which credentials were asked for
    std::vector<std::chrono::milliseconds> slept;
};

class ScriptedHttp : public Http {
public:
    explicit ScriptedHttp(Script& script) : script_(script) {}
    HttpResult send(const HttpRequest& request) override
    {
        script_.sent.push_back(request);
        if (script_.answers.empty()) {
            return HttpFailure{HttpTrouble::Local, "the script has no more answers"};
        }
        HttpResult out = script_.answers.front();
        script_.answers.pop_front();
        return out;
    }

private:
    Script& script_;
};

class OneKey : public CredentialSource {
public:
    explicit OneKey(Script& script) : script_(script) {}
    Result<Credentials> get(Role, std::int64_t now_s) override
    {
        script_.asked.push_back(now_s);
        return Credentials{{"ASIAEXAMPLE", "secret-that-nobody-may-see", kToken}, kNow + 3600, false};
    }

private:
    Script& script_;
};

class AwsClientTest : public testing::Test {
protected:
    AwsClientTest()
    {
        context_.credentials = &key_;
        context_.now_s = [] { return kNow; };
        context_.sleep = [this](std::chrono::milliseconds time) { script_.slept.push_back(time); };
        context_.random = [] { return 0.5; };
        context_.http = [this](const HttpOptions&) -> Result<std::unique_ptr<Http>> {
            return std::unique_ptr<Http>(std::make_unique<ScriptedHttp>(script_));
        };
    }
    AwsAnswer call(const std::string& service = "ssm", const AwsRequest& request = {})
    {
        auto client = AwsClient::open(config_, service, context_);
        EXPECT_TRUE(client.ok());
        return (*client)->call(request, "eu-central-1");
    }
    [[nodiscard]] std::string date_of(std::size_t place) const
    {
        for (const auto& header : script_.sent.at(place).headers) {
            if (header.name == "X-Amz-Date" || header.name == "x-amz-date") {
                return header.value;
            }
        }
        return "";
    }

    Script script_;
    OneKey key_{script_};
    config::SinkConfig config_;
    SinkContext context_;
};

TEST_F(AwsClientTest, SignsAndSendsOnce)
{
    script_.answers = {answer(200)};
    EXPECT_EQ(call().result.delivery, Delivery::Done);
    ASSERT_THAT(script_.sent, SizeIs(1));
    EXPECT_THAT(script_.sent[0].url, HasSubstr("//ssm.eu-central-1."));
    EXPECT_EQ(date_of(0), "20260921T141320Z");
    EXPECT_THAT(script_.slept, IsEmpty());
}

TEST_F(AwsClientTest, ABucketIsPartOfTheHostUnlessAnEndpointIsSet)
{
    AwsRequest request;
    request.host_prefix = "fleet.";
    script_.answers = {answer(200), answer(200)};
    (void)call("s3", request); // what was sent is looked at
    EXPECT_THAT(script_.sent[0].url, HasSubstr("//fleet.s3.eu-central-1."));
    config_.endpoint = "http://127.0.0.1:9";
    (void)call("s3", request); // as above
    EXPECT_EQ(script_.sent[1].url, "http://127.0.0.1:9/");
}

TEST_F(AwsClientTest, ThreeAttemptsWithFullJitter)
{
    script_.answers = {fault(503, "ServiceUnavailable"), fault(400, "ThrottlingException"),
                       HttpFailure{HttpTrouble::NoAnswer, "no answer in time"}};
    const AwsAnswer last = call();
    EXPECT_EQ(last.result.delivery, Delivery::Later);
    EXPECT_THAT(last.result.text, HasSubstr("no answer in time"));
    EXPECT_THAT(script_.slept, ElementsAre(std::chrono::milliseconds(500), std::chrono::milliseconds(1000)));
}

TEST_F(AwsClientTest, ARefusedCertificateIsNotTriedAgain)
{
    script_.answers = {HttpFailure{HttpTrouble::Tls, "the certificate is expired"}};
    EXPECT_EQ(call().result.delivery, Delivery::Later);
    EXPECT_THAT(script_.sent, SizeIs(1));
}

TEST_F(AwsClientTest, TheClockIsCorrectedOnceAndKept)
{
    const std::string ahead = "Mon, 21 Sep 2026 14:23:20 GMT"; // ten minutes
    script_.answers = {fault(403, "InvalidSignatureException", "", ahead), answer(200), answer(200)};
    auto client = AwsClient::open(config_, "ssm", context_);
    ASSERT_TRUE(client.ok());
    EXPECT_EQ((*client)->call({}, "eu-central-1").result.delivery, Delivery::Done);
    EXPECT_EQ(date_of(1), "20260921T142320Z");
    EXPECT_EQ((*client)->call({}, "eu-central-1").result.delivery, Delivery::Done);
    EXPECT_EQ(date_of(2), "20260921T142320Z");
    EXPECT_THAT(script_.slept, IsEmpty());
}

TEST_F(AwsClientTest, AClockThatIsRightIsNoExcuse)
{
    const std::string near = "Mon, 21 Sep 2026 14:17:19 GMT"; // 239 s
    script_.answers = {fault(403, "SignatureDoesNotMatch", "", near)};
    EXPECT_EQ(call().result.delivery, Delivery::Later);
    EXPECT_THAT(script_.sent, SizeIs(1));
    // A service whose clock jumps is not followed for ever.
    script_.sent.clear();
    script_.answers = {fault(403, "SignatureDoesNotMatch", "", "Mon, 21 Sep 2026 15:13:20 GMT"),
                       fault(403, "SignatureDoesNotMatch", "", "Mon, 21 Sep 2026 16:13:20 GMT")};
    EXPECT_EQ(call().result.delivery, Delivery::Later);
    EXPECT_THAT(script_.sent, SizeIs(2));
}

TEST_F(AwsClientTest, ExpiredCredentialsAreAskedAnewOnce)
{
    script_.answers = {fault(400, "ExpiredTokenException"), fault(400, "ExpiredTokenException")};
    EXPECT_EQ(call().result.delivery, Delivery::Later);
    EXPECT_THAT(script_.asked, ElementsAre(kNow, kNow + 3600)); // a time at which the kept ones are over
}

TEST_F(AwsClientTest, WhatAMendedPolicyCuresWaitsAndTheRestIsGivenUp)
{
    for (const auto& [status, code, meaning] :
         std::vector<std::tuple<int, const char*, Delivery>>{{403, "AccessDeniedException", Delivery::Later},
                                                             {404, "NoSuchBucket", Delivery::Later},
                                                             {400, "UnrecognizedClientException", Delivery::Later},
                                                             {301, "PermanentRedirect", Delivery::Later},
                                                             {400, "ValidationException", Delivery::Refused},
                                                             {413, "EntityTooLarge", Delivery::Refused}}) {
        script_.answers = {fault(status, code)};
        EXPECT_EQ(call().result.delivery, meaning) << code;
    }
}

TEST_F(AwsClientTest, NoTextOfTheServiceRepeatsASecret)
{
    const std::string token(kToken);
    for (const auto& message : {"The Canonical String should have been x-amz-security-token:" + token, token,
                                std::string("secret-that-nobody-may-see")}) {
        script_.answers = {fault(403, "InvalidSignatureException", message),
                           fault(400, "ValidationException", message)};
        for (int i = 0; i < 2; ++i) {
            const AwsAnswer got = call();
            EXPECT_THAT(got.result.text, Not(HasSubstr("nobody-may-see")));
            EXPECT_THAT(got.result.text, HasSubstr("Exception"));
        }
    }
    script_.answers = {fault(400, "ValidationException", "line one\\nline two \\u001b[31m")};
    EXPECT_EQ(call().result.text, "ssm answered 400 ValidationException: line one");
}

TEST(AwsFault, EveryWayOfWritingOne)
{
    EXPECT_EQ(parse_aws_fault(answer(400, R"({"__type":"com.amazon#Code","message":"m"})")).code, "Code");
    EXPECT_EQ(parse_aws_fault(answer(400, R"({"code":"Code","Message":"m"})")).message, "m");
    const std::string xml =
        "<?xml version=\"1.0\"?>\n<ErrorResponse><Error><Code>Code</Code><Message>m</Message></Error>";
    EXPECT_EQ(parse_aws_fault(answer(400, xml)).code, "Code");
    EXPECT_EQ(parse_aws_fault(answer(400, xml)).message, "m");
    HttpResponse header = answer(400, "");
    header.headers.push_back({"X-Amzn-ErrorType", "Code:http"});
    EXPECT_EQ(parse_aws_fault(header).code, "Code");
    for (const char* odd : {"", "<", "<Code>", "</Code><Code>", "[]", "{\"__type\":1}", "\xff\xfe", "{"}) {
        EXPECT_EQ(parse_aws_fault(answer(500, odd)).code, "") << odd;
    }
}

TEST(Retry, DatesAndWaits)
{
    EXPECT_EQ(parse_http_date("Mon, 21 Sep 2026 14:13:20 GMT"), kNow);
    EXPECT_EQ(parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
    for (const char* odd : {"", "Mon, 21 Sep 2026 14:13:20 UTC", "Mon, 31 Feb 2026 14:13:20 GMT",
                            "Mon, 21 Xxx 2026 14:13:20 GMT", "Mon, 21 Sep 2026 24:13:20 GMT", "1790000000"}) {
        EXPECT_EQ(parse_http_date(odd), std::nullopt) << odd;
    }
    EXPECT_EQ(sleep_before_retry(0, 0.999, nullptr, kNow), std::chrono::milliseconds(999));
    EXPECT_EQ(sleep_before_retry(2, 0.5, nullptr, kNow), std::chrono::milliseconds(2000));
    EXPECT_EQ(sleep_before_retry(1000, 1.0, nullptr, kNow), std::chrono::milliseconds(20'000));
    HttpResponse response{503, {{"Retry-After", "7"}}, ""};
    EXPECT_EQ(sleep_before_retry(0, 0.5, &response, kNow), std::chrono::milliseconds(7000));
    response.headers[0].value = "Mon, 21 Sep 2026 14:13:25 GMT";
    EXPECT_EQ(sleep_before_retry(0, 0.5, &response, kNow), std::chrono::milliseconds(5000));
    response.headers[0].value = "21";
    EXPECT_EQ(sleep_before_retry(0, 0.5, &response, kNow), std::nullopt);
    for (const char* odd : {"-5", "soon", "99999999999999999999999"}) {
        response.headers[0].value = odd;
        EXPECT_EQ(sleep_before_retry(0, 0.5, &response, kNow), std::chrono::milliseconds(500)) << odd;
    }
}

} // namespace
} // namespace hostward::report
