// SPDX-License-Identifier: Apache-2.0
#include "tests/imds_sim/http_request.h"

#include <gtest/gtest.h>

#include <string>

namespace hostward::imds_sim {
namespace {

using Progress = RequestParser::Progress;

/// The status a whole text fails with; 0 when it is a request, -1 when it is incomplete.
int verdict(std::string_view text)
{
    RequestParser parser;
    switch (parser.consume(text)) {
    case Progress::Ready: return 0;
    case Progress::NeedMore: return -1;
    case Progress::Failed: return parser.malformed().status;
    }
    return -2;
}

std::string with_header(const std::string& header) { return "GET / HTTP/1.1\r\nHost: x\r\n" + header + "\r\n\r\n"; }

TEST(HttpRequest, ParsesMethodTargetAndHeaders)
{
    std::string_view input = "GET /latest/meta-data/?x=1 HTTP/1.1\r\nHost: 169.254.169.254\r\nX-Thing:  a b \t\r\n\r\n";
    RequestParser parser;
    ASSERT_EQ(parser.consume(input), Progress::Ready);
    EXPECT_TRUE(input.empty());
    EXPECT_EQ(parser.request().method, "GET");
    EXPECT_EQ(parser.request().target, "/latest/meta-data/?x=1");
    EXPECT_EQ(parser.request().header("x-THING"), "a b");
    EXPECT_FALSE(parser.request().header("absent"));
    EXPECT_TRUE(parser.request().keep_alive);
}

TEST(HttpRequest, GivesTheSameForEverySplit)
{
    const std::string text = "PUT /latest/api/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "3;ext=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        RequestParser parser;
        std::string_view first = std::string_view(text).substr(0, cut);
        std::string_view second = std::string_view(text).substr(cut);
        const auto progress = parser.consume(first);
        ASSERT_EQ(progress, cut == text.size() ? Progress::Ready : Progress::NeedMore) << cut;
        ASSERT_EQ(parser.consume(second), Progress::Ready) << cut;
        EXPECT_EQ(parser.request().body, "abc0123456789") << cut;
        EXPECT_FALSE(parser.request().header("Trailer")) << "a trailer must not become a header";
    }
}

TEST(HttpRequest, LeavesTheNextRequestInTheInput)
{
    const std::string one = "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi";
    const std::string both = one + "GET /b HTTP/1.1\r\nHost: x\r\n\r\n";
    std::string_view input = both;
    RequestParser parser;
    ASSERT_EQ(parser.consume(input), Progress::Ready);
    EXPECT_EQ(parser.request().body, "hi");
    parser.reset();
    ASSERT_EQ(parser.consume(input), Progress::Ready);
    EXPECT_EQ(parser.request().target, "/b");
    EXPECT_TRUE(parser.request().body.empty());
}

TEST(HttpRequest, AsksOnceForTheBodyThatWaitsForContinue)
{
    std::string_view head = "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
    RequestParser parser;
    ASSERT_EQ(parser.consume(head), Progress::NeedMore);
    EXPECT_TRUE(parser.take_continue());
    EXPECT_FALSE(parser.take_continue());
    std::string_view body = "ok";
    EXPECT_EQ(parser.consume(body), Progress::Ready);
}

TEST(HttpRequest, DoesNotAskForContinueWithoutExpectationOrInHttp10)
{
    for (const std::string_view head : {"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n",
                                        "PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"}) {
        std::string_view input = head;
        RequestParser parser;
        ASSERT_EQ(parser.consume(input), Progress::NeedMore);
        EXPECT_FALSE(parser.take_continue()) << head;
    }
}

TEST(HttpRequest, KnowsWhenTheConnectionStays)
{
    const auto keeps = [](std::string_view text) {
        RequestParser parser;
        EXPECT_EQ(parser.consume(text), Progress::Ready);
        return parser.request().keep_alive;
    };
    EXPECT_TRUE(keeps(with_header("X: y")));
    EXPECT_FALSE(keeps(with_header("Connection: foo, Close")));
    EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
    EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(HttpRequest, TakesAbsoluteFormAndOneEmptyLineBefore)
{
    std::string_view input = "\r\nGET http://169.254.169.254/latest HTTP/1.1\r\nHost: x\r\n\r\n";
    RequestParser parser;
    ASSERT_EQ(parser.consume(input), Progress::Ready);
    EXPECT_EQ(parser.request().target, "/latest");
    EXPECT_EQ(verdict("\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
}

TEST(HttpRequest, RefusesMalformedRequestLines)
{
    EXPECT_EQ(verdict("GET /\r\n"), 400);
    EXPECT_EQ(verdict("GET  / HTTP/1.1\r\n"), 400);
    EXPECT_EQ(verdict("G(T / HTTP/1.1\r\n"), 400);
    EXPECT_EQ(verdict("AVERYLONGMETHODNAME / HTTP/1.1\r\n"), 400);
    EXPECT_EQ(verdict("GET latest HTTP/1.1\r\n"), 400);
    EXPECT_EQ(verdict("GET * HTTP/1.1\r\n"), 400);
    EXPECT_EQ(verdict("GET /\xc3\xa4 HTTP/1.1\r\n"), 400);
    EXPECT_EQ(verdict("GET / HTTP/1.1\n"), 400);
    EXPECT_EQ(verdict("GET / HTTP/1.1\rX"), 400);
    EXPECT_EQ(verdict(std::string_view("GET /\0 HTTP/1.1\r\n", 17)), 400);
    EXPECT_EQ(verdict("GET / HTTP/2.0\r\n"), 505);
    EXPECT_EQ(verdict("GET / FTP/1.1\r\n"), 400);
    EXPECT_EQ(verdict("\x16\x03\x01"), 400);
}

TEST(HttpRequest, RefusesMalformedHeaders)
{
    EXPECT_EQ(verdict("GET / HTTP/1.1\r\n\r\n"), 400) << "no Host";
    EXPECT_EQ(verdict(with_header("Host: y")), 400) << "two Hosts";
    EXPECT_EQ(verdict(with_header("Name : v")), 400);
    EXPECT_EQ(verdict(with_header("X: a\r\n folded")), 400);
    EXPECT_EQ(verdict(with_header(": v")), 400);
    EXPECT_EQ(verdict(with_header("novalue")), 400);
    EXPECT_EQ(verdict(with_header("X: a\x01")), 400);
    EXPECT_EQ(verdict(with_header("Expect: money")), 417);
}

TEST(HttpRequest, RefusesAmbiguousBodies)
{
    EXPECT_EQ(verdict(with_header("Content-Length: -1")), 400);
    EXPECT_EQ(verdict(with_header("Content-Length: +1")), 400);
    EXPECT_EQ(verdict(with_header("Content-Length: 1, 1")), 400);
    EXPECT_EQ(verdict(with_header("Content-Length: 1\r\nContent-Length: 1")), 400);
    EXPECT_EQ(verdict(with_header("Content-Length: 1\r\nTransfer-Encoding: chunked")), 400);
    EXPECT_EQ(verdict(with_header("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")), 400);
    EXPECT_EQ(verdict(with_header("Transfer-Encoding: gzip, chunked")), 501);
    EXPECT_EQ(verdict(with_header("Transfer-Encoding: chunked") + "z\r\n"), 400);
    EXPECT_EQ(verdict(with_header("Transfer-Encoding: chunked") + "-1\r\n"), 400);
    EXPECT_EQ(verdict(with_header("Transfer-Encoding: chunked") + "1\r\nab\r\n"), 400);
}

TEST(HttpRequest, BoundsEverySize)
{
    const auto line = [](std::size_t size) { return with_header("X: " + std::string(size, 'a')); };
    EXPECT_EQ(verdict(line(kMaxLineBytes - 3)), 0);
    EXPECT_EQ(verdict(line(kMaxLineBytes)), 431);
    EXPECT_EQ(verdict("GET /" + std::string(kMaxTargetBytes, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n"), 414);
    EXPECT_EQ(verdict("GET /" + std::string(kMaxTargetBytes - 1, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n"), 0);
    EXPECT_EQ(verdict(std::string(kMaxLineBytes + 1, 'G')), 414);
    std::string many;
    for (std::size_t i = 1; i < kMaxHeaders; ++i) {
        many += "X: y\r\n";
    }
    EXPECT_EQ(verdict(with_header(many + "X: y")), 431);
    EXPECT_EQ(verdict(with_header("Content-Length: " + std::to_string(kMaxBodyBytes))), -1);
    EXPECT_EQ(verdict(with_header("Content-Length: " + std::to_string(kMaxBodyBytes + 1))), 413);
    EXPECT_EQ(verdict(with_header("Content-Length: 99999999999999999999999")), 400);
    EXPECT_EQ(verdict(with_header("Transfer-Encoding: chunked") + "10001\r\n"), 413);
    EXPECT_EQ(verdict(with_header("Transfer-Encoding: chunked") + "ffffffffffffffff\r\n"), 413);
}

TEST(HttpRequest, KnowsWhetherItIsInsideARequest)
{
    RequestParser parser;
    EXPECT_FALSE(parser.is_inside_request());
    std::string_view some = "GE";
    (void)parser.consume(some); // more is needed: not what is tested
    EXPECT_TRUE(parser.is_inside_request());
    std::string_view rest = "T / HTTP/1.1\r\nHost: x\r\n\r\n";
    ASSERT_EQ(parser.consume(rest), Progress::Ready);
    EXPECT_FALSE(parser.is_inside_request());
}

} // namespace
} // namespace hostward::imds_sim
