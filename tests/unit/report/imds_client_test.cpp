// SPDX-License-Identifier: Apache-2.0
// The metadata client over a scripted service and a clock of its own.
#include "agent/report/imds_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace hostward::report {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr auto kSecret = "SECRET-TOKEN";

struct World {
    SteadyTime now{seconds(1000)};
    std::vector<HttpRequest> sent;
    std::vector<SteadyTime> sent_at;
    std::vector<milliseconds> slept;
    std::function<HttpResult(const HttpRequest&, std::size_t)> answer; ///< the request and its number
    double random = 0.5;
};

class ScriptedHttp final : public Http {
public:
    explicit ScriptedHttp(World& world) : world_(world) {}
    HttpResult send(const HttpRequest& request) override
    {
        world_.sent.push_back(request);
        world_.sent_at.push_back(world_.now);
        return world_.answer(request, world_.sent.size());
    }

private:
    World& world_;
};

HttpResponse status(int code, std::string body = "") { return {code, {}, std::move(body)}; }
HttpFailure failure(HttpTrouble trouble) { return {trouble, "trouble"}; }

/// A healthy service: a token for a PUT, the path for a GET.
HttpResult healthy(const HttpRequest& request, std::size_t /*number*/)
{
    return request.method == "PUT" ? status(200, kSecret) : status(200, request.url);
}

class ImdsClientTest : public testing::Test {
protected:
    ImdsClient client(ImdsOptions options = {})
    {
        return {std::move(options),
                std::make_unique<ScriptedHttp>(world_),
                {.now = [this] { return world_.now; },
                 .sleep =
                     [this](milliseconds time) {
                         world_.slept.push_back(time);
                         world_.now += time;
                     },
                 .random = [this] { return world_.random; }}};
    }
    [[nodiscard]] std::vector<std::string> methods() const
    {
        std::vector<std::string> out;
        for (const auto& request : world_.sent) {
            out.push_back(request.method);
        }
        return out;
    }

    World world_{
        .now = SteadyTime(seconds(1000)), .sent = {}, .sent_at = {}, .slept = {}, .answer = healthy, .random = 0.5};
};

TEST_F(ImdsClientTest, OneTokenForAll)
{
    auto imds = client();
    EXPECT_EQ(*imds.get("meta-data/instance-id"), "http://169.254.169.254/latest/meta-data/instance-id");
    EXPECT_TRUE(imds.get("meta-data/ami-id").ok());
    EXPECT_THAT(methods(), ElementsAre("PUT", "GET", "GET"));
    EXPECT_EQ(world_.sent[0].url, "http://169.254.169.254/latest/api/token");
    ASSERT_EQ(world_.sent[0].headers.size(), 1U);
    EXPECT_EQ(world_.sent[0].headers[0].name, "X-aws-ec2-metadata-token-ttl-seconds");
    EXPECT_EQ(world_.sent[0].headers[0].value, "60");
    ASSERT_EQ(world_.sent[1].headers.size(), 1U);
    EXPECT_EQ(world_.sent[1].headers[0].value, kSecret);
}

TEST_F(ImdsClientTest, TokenIsRenewedBeforeItEnds)
{
    auto imds = client();
    ASSERT_TRUE(imds.get("a").ok());
    world_.now += seconds(54);
    ASSERT_TRUE(imds.get("a").ok());
    world_.now += seconds(1);
    ASSERT_TRUE(imds.get("a").ok());
    EXPECT_THAT(methods(), ElementsAre("PUT", "GET", "GET", "PUT", "GET"));
}

TEST_F(ImdsClientTest, RefusedTokenMeansOneNewOne)
{
    world_.answer = [](const HttpRequest& request, std::size_t number) {
        return number == 2 ? status(401) : std::get<HttpResponse>(healthy(request, number));
    };
    auto imds = client();
    EXPECT_TRUE(imds.get("a").ok());
    EXPECT_THAT(methods(), ElementsAre("PUT", "GET", "PUT", "GET"));
    world_.sent.clear();
    world_.answer = [](const HttpRequest& request, std::size_t number) {
        return request.method == "GET" ? status(401) : std::get<HttpResponse>(healthy(request, number));
    };
    const auto result = imds.get("a");
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().kind, ErrorKind::Denied);
    EXPECT_THAT(result.error().text, HasSubstr("401 (it refuses the token, a new one too)"));
    EXPECT_THAT(methods(), ElementsAre("GET", "PUT", "GET"));
}

TEST_F(ImdsClientTest, WithoutATokenNothingIsAsked)
{
    for (const int code : {400, 403, 404, 405, 301}) {
        world_.sent.clear();
        world_.answer = [code](const HttpRequest&, std::size_t) { return status(code, "body"); };
        auto imds = client();
        EXPECT_FALSE(imds.get("a").ok());
        EXPECT_THAT(methods(), ElementsAre("PUT")) << code;
    }
    for (const std::string token : {"", "two words", "line\nfeed"}) {
        world_.sent.clear();
        world_.answer = [&](const HttpRequest&, std::size_t) { return status(200, token); };
        auto imds = client();
        EXPECT_THAT(imds.get("a").error().text, HasSubstr("no token"));
        EXPECT_THAT(methods(), ElementsAre("PUT"));
    }
}

TEST_F(ImdsClientTest, StatusInWords)
{
    const auto get = [this](int code) {
        world_.answer = [code](const HttpRequest& request, std::size_t number) {
            return request.method == "GET" ? status(code) : std::get<HttpResponse>(healthy(request, number));
        };
        return client().get("meta-data/x").error();
    };
    EXPECT_EQ(get(404).kind, ErrorKind::NotFound);
    EXPECT_THAT(get(404).text, HasSubstr("\"meta-data/x\" with 404 (there is no such item)"));
    EXPECT_EQ(get(403).kind, ErrorKind::Denied);
    EXPECT_THAT(get(403).text, HasSubstr("403 (the instance's options or a rule forbid it"));
    EXPECT_EQ(get(302).kind, ErrorKind::System);
}

TEST_F(ImdsClientTest, HopLimitIsNamed)
{
    world_.answer = [](const HttpRequest&, std::size_t) { return failure(HttpTrouble::NoAnswer); };
    EXPECT_THAT(client().get("a").error().text, HasSubstr("hop limit of the instance (HttpPutResponseHopLimit)"));
    world_.answer = [](const HttpRequest& request, std::size_t number) -> HttpResult {
        return request.method == "GET" ? HttpResult(failure(HttpTrouble::NoAnswer)) : healthy(request, number);
    };
    EXPECT_THAT(client().get("a").error().text, Not(HasSubstr("hop limit")));
}

TEST_F(ImdsClientTest, AbsentServiceIsNotAskedAgainForAWhile)
{
    world_.answer = [](const HttpRequest&, std::size_t) { return failure(HttpTrouble::Connect); };
    auto imds = client();
    for (int i = 0; i < 20; ++i) {
        EXPECT_THAT(imds.get("a").error().text, HasSubstr("no metadata service at"));
    }
    EXPECT_EQ(world_.sent.size(), 1U);
    world_.now += kImdsAbsentFor;
    world_.answer = healthy;
    EXPECT_TRUE(imds.get("a").ok());
}

TEST_F(ImdsClientTest, ThrottlingIsWaitedOutWithBoundedJitter)
{
    world_.answer = [](const HttpRequest&, std::size_t) { return status(503); };
    world_.random = 0.999999;
    const auto result = client().get("a");
    EXPECT_EQ(result.error().kind, ErrorKind::Exhausted);
    EXPECT_EQ(world_.sent.size(), static_cast<std::size_t>(kImdsAttempts));
    EXPECT_THAT(world_.slept, ElementsAre(milliseconds(499), milliseconds(999), milliseconds(1999)));
    // Full jitter reaches down to nothing.
    world_.slept.clear();
    world_.random = 0;
    EXPECT_FALSE(client().get("a").ok());
    EXPECT_THAT(world_.slept, ElementsAre(milliseconds(0), milliseconds(0), milliseconds(0)));
}

TEST_F(ImdsClientTest, ThrottledOnceSucceeds)
{
    world_.answer = [](const HttpRequest& request, std::size_t number) {
        return number % 2 == 1 ? status(503) : std::get<HttpResponse>(healthy(request, number));
    };
    EXPECT_TRUE(client().get("a").ok());
    EXPECT_THAT(methods(), ElementsAre("PUT", "PUT", "GET", "GET"));
}

TEST_F(ImdsClientTest, AtMostFiveRequestsASecond)
{
    auto imds = client();
    for (int i = 0; i < 40; ++i) {
        ASSERT_TRUE(imds.get("a").ok());
        world_.now += milliseconds(i % 7);
    }
    for (std::size_t i = 5; i < world_.sent_at.size(); ++i) {
        EXPECT_GT(world_.sent_at[i] - world_.sent_at[i - 5], seconds(1));
    }
}

TEST_F(ImdsClientTest, DisabledSendsNothing)
{
    auto imds = client({.disabled = true, .endpoint = "http://127.0.0.1"});
    EXPECT_EQ(imds.get("a").error().kind, ErrorKind::Unsupported);
    EXPECT_TRUE(world_.sent.empty());
}

TEST_F(ImdsClientTest, ErrorsHoldNoTokenAndNoBody)
{
    for (const int code : {400, 401, 403, 404, 500, 503, 302}) {
        world_.answer = [code](const HttpRequest& request, std::size_t number) {
            return request.method == "GET" ? status(code, "SECRET-BODY")
                                           : std::get<HttpResponse>(healthy(request, number));
        };
        EXPECT_THAT(client().get("a").error().text, Not(HasSubstr("SECRET")));
    }
}

using Variables = std::map<std::string, std::string>;

Result<ImdsOptions> options(const Variables& variables)
{
    return imds_options([&](const char* name) {
        const auto found = variables.find(name);
        return found == variables.end() ? std::string() : found->second;
    });
}

TEST(ImdsOptionsTest, AsTheSdksReadThem)
{
    EXPECT_EQ(options({})->endpoint, "http://169.254.169.254");
    EXPECT_FALSE(options({})->disabled);
    EXPECT_TRUE(options({{"AWS_EC2_METADATA_DISABLED", "TRUE"}})->disabled);
    EXPECT_FALSE(options({{"AWS_EC2_METADATA_DISABLED", "yes"}})->disabled);
    EXPECT_EQ(options({{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipv6"}})->endpoint, "http://[fd00:ec2::254]");
    EXPECT_EQ(options({{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv4"}})->endpoint, "http://169.254.169.254");
    EXPECT_EQ(options({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1338/"},
                       {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6"}})
                  ->endpoint,
              "http://127.0.0.1:1338");
    EXPECT_FALSE(options({{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv5"}}).ok());
    for (const auto* url :
         {"127.0.0.1", "file:///etc/passwd", "http://", "http://127.0.0.1/?b", "http://localhost:p@127.0.0.1/"}) {
        EXPECT_FALSE(options({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", url}}).ok()) << url;
    }
}

} // namespace
} // namespace hostward::report
