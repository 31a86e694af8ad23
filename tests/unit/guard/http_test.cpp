// SPDX-License-Identifier: Apache-2.0
// The reader of requests that the kernel runs, compiled for this side: examples of each rule, and random streams in
// random segments against an oracle that is written differently.
#include "ebpf/http.h"

#include "agent/base/text.h"
#include "tests/bpf/oracle/http_oracle.h"
#include "tests/bpf/oracle/random_http.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace hostward::test {
namespace {

using Versions = std::vector<unsigned>;

constexpr unsigned kV1 = HW_IMDS_V1;
constexpr unsigned kV2 = HW_IMDS_V2;
constexpr unsigned kUnknown = HW_IMDS_UNKNOWN;

/// One connection as the egress program treats it.
class Reader {
public:
    explicit Reader(std::uint32_t first = 0) { hw_http_open(&http_, first - 1); }

    void segment(std::uint32_t sequence, std::string_view bytes)
    {
        const auto length = static_cast<std::uint32_t>(bytes.size());
        const std::uint32_t known = hw_http_segment(&http_, sequence, length);
        if (known == HW_HTTP_GAP) {
            note(http_.state == HW_HTTP_LOST ? 0U : hw_http_lose(&http_));
            return;
        }
        for (const char byte : bytes.substr(known)) {
            note(hw_http_byte(&http_, static_cast<std::uint8_t>(byte)));
        }
    }
    void end() { note(hw_http_end(&http_)); }
    [[nodiscard]] const Versions& seen() const { return seen_; }

private:
    void note(unsigned version)
    {
        if (version != HW_IMDS_NONE) {
            seen_.push_back(version);
        }
    }
    hw_http http_{};
    Versions seen_;
};

Versions read(std::string_view stream)
{
    Reader reader;
    reader.segment(0, stream);
    reader.end();
    return reader.seen();
}

/// A GET with these header lines.
std::string get(const std::string& headers = "")
{
    return "GET /latest/meta-data/ HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n";
}

std::string put(const std::string& headers = "", const std::string& body = "", const char* path = "/latest/api/token")
{
    return std::string("PUT ") + path + " HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n" + headers + "\r\n" +
           body;
}

const std::string kToken = "X-aws-ec2-metadata-token: AQAEAHxyz==\r\n";

TEST(Http, TellsTheVersions)
{
    EXPECT_EQ(read(get()), Versions{kV1});
    EXPECT_EQ(read(get(kToken)), Versions{kV2});
    EXPECT_EQ(read(put()), Versions{kV2});
    EXPECT_EQ(read("HEAD / HTTP/1.0\r\n\r\n"), Versions{kV1});
    EXPECT_EQ(read(""), Versions{});
    EXPECT_EQ(read("\r\n\r\n"), Versions{});
}

TEST(Http, ComparesNamesWithoutCaseAndWhole)
{
    EXPECT_EQ(read(get("x-AWS-ec2-METADATA-token:t\r\n")), Versions{kV2});
    EXPECT_EQ(read(get("X-aws-ec2-metadata-token-ttl-seconds: 60\r\n")), Versions{kV1});
    EXPECT_EQ(read(get("X-aws-ec2-metadata-toke: t\r\n")), Versions{kV1});
    EXPECT_EQ(read(get("XX-aws-ec2-metadata-token: t\r\n")), Versions{kV1});
    EXPECT_EQ(read(get("Cookie: X-aws-ec2-metadata-token: t\r\n")), Versions{kV1});
}

TEST(Http, AnEmptyTokenIsNone)
{
    EXPECT_EQ(read(get("X-aws-ec2-metadata-token:\r\n")), Versions{kV1});
    EXPECT_EQ(read(get("X-aws-ec2-metadata-token: \t \r\n")), Versions{kV1});
}

TEST(Http, DoesNotGuess)
{
    EXPECT_EQ(read(get("Foo: bar\r\n X-aws-ec2-metadata-token: t\r\n")), Versions{kUnknown}) << "folded";
    EXPECT_EQ(read(get("X-aws-ec2-metadata-token : t\r\n")), Versions{kUnknown}) << "blank before the colon";
    EXPECT_EQ(read(get(kToken + kToken)), Versions{kUnknown}) << "twice";
    EXPECT_EQ(read(get("X-aws-ec2-metadata-token:\r\n" + kToken)), Versions{kUnknown}) << "empty, then another";
    EXPECT_EQ(read(get("Foo: bar\n" + kToken)), Versions{kUnknown}) << "LF alone beside a token";
    EXPECT_EQ(read(get("Foo: bar\rX-aws-ec2-metadata-token: t\r\n")), Versions{kUnknown}) << "CR alone";
    EXPECT_EQ(read(get(std::string("Foo: \0\r\n", 8))), Versions{kUnknown}) << "NUL";
    EXPECT_EQ(read(get("no colon\r\n")), Versions{kUnknown});
    EXPECT_EQ(read("GET /latest/meta-data/\r\n"), Versions{kUnknown}) << "HTTP/0.9";
    EXPECT_EQ(read("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Versions{kUnknown});
    EXPECT_EQ(read("GET / HTTP/1.11\r\n\r\n"), Versions{kUnknown});
    EXPECT_EQ(read("GET  / HTTP/1.1\r\n\r\n"), Versions{kUnknown});
    EXPECT_EQ(read(put("", "", "/2021-03-23/api/token")), Versions{kUnknown}) << "a PUT that is no token call";
    EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: x\r\n"), Versions{kUnknown}) << "never completed";
}

TEST(Http, LinesInLfAloneWithoutATokenAreV1)
{
    EXPECT_EQ(read("GET / HTTP/1.0\n\n"), Versions{kV1});
    EXPECT_EQ(read("GET / HTTP/1.0\n\n" + get(kToken)), (Versions{kV1, kUnknown})) << "what follows is unsure";
}

TEST(Http, ATokenBehindTheHeadDoesNotCount) { EXPECT_EQ(read(get() + kToken + "\r\n"), (Versions{kV1, kUnknown})); }

TEST(Http, FollowsAConnection)
{
    EXPECT_EQ(read(put() + get(kToken) + get() + "\r\n" + get(kToken)), (Versions{kV2, kV2, kV1, kV2}));
    EXPECT_EQ(read(put("Content-Length: 0\r\n") + get()), (Versions{kV2, kV1}));
    EXPECT_EQ(read(put("Content-Length: 4\r\n", "GET ") + get()), (Versions{kV2, kV1}));
    const std::string chunks = "3;x=y\r\nab\n\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
    EXPECT_EQ(read(put("Transfer-Encoding: Chunked\r\nExpect: 100-continue\r\n", chunks) + get()),
              (Versions{kV2, kV1}));
}

TEST(Http, StopsWhereTheNextRequestMayStartElsewhere)
{
    EXPECT_EQ(read(get("Content-Length: 5\r\n" + kToken) + get()), (Versions{kV2, kUnknown})) << "a GET with a body";
    EXPECT_EQ(read(put("Content-Length: 1\r\nContent-Length: 1\r\n", "x") + get()), Versions{kUnknown});
    EXPECT_EQ(read(put("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "x") + get()), Versions{kUnknown});
    EXPECT_EQ(read(put("Transfer-Encoding: gzip, chunked\r\n", "x") + get()), Versions{kUnknown});
    EXPECT_EQ(read(put("Content-Length: 99999999999\r\n", "x") + get()), Versions{kUnknown});
    EXPECT_EQ(read(put("Transfer-Encoding: chunked\r\n", "3\r\nabcd") + get()), (Versions{kV2, kUnknown}));
    EXPECT_EQ(read(put("Transfer-Encoding: chunked\r\n", "3\nabc\r\n0\r\n\r\n") + get()), (Versions{kV2, kUnknown}));
}

TEST(Http, SkipsWhatIsSentAgain)
{
    const std::string stream = get(kToken) + get();
    Reader reader(0xfffffff0); // the numbers wrap
    reader.segment(0xfffffff0, stream.substr(0, 40));
    reader.segment(0xfffffff0, stream.substr(0, 40));
    reader.segment(0xfffffff0, stream.substr(0, 60));
    reader.segment(0xfffffff0 + 20, stream.substr(20));
    EXPECT_EQ(reader.seen(), (Versions{kV2, kV1}));
}

TEST(Http, AGapIsUnknownOnce)
{
    Reader reader;
    reader.segment(0, get());
    reader.segment(1000, get(kToken));
    reader.segment(2000, get(kToken));
    reader.end();
    EXPECT_EQ(reader.seen(), (Versions{kV1, kUnknown}));
}

TEST(Http, ASynSentAgainChangesNothing)
{
    hw_http http{};
    EXPECT_EQ(hw_http_segment(&http, 1, 1), HW_HTTP_GAP) << "no SYN was seen";
    hw_http_open(&http, 0);
    EXPECT_EQ(hw_http_segment(&http, 1, 10), 0U);
    hw_http_open(&http, 0); // fast open without an answer: the data goes again after it
    EXPECT_EQ(hw_http_segment(&http, 1, 10), 10U);
}

// Random streams.

/// In segments of any size, some of them sent again, whole or with what follows.
Versions read_in_segments(Rng& rng, const std::string& stream)
{
    const auto first = static_cast<std::uint32_t>(rng.next());
    Reader reader(first);
    for (std::size_t at = 0; at < stream.size();) {
        const std::size_t size = 1 + rng.below(rng.one_in(3) ? 3 : stream.size() - at);
        const std::size_t again = rng.one_in(4) ? rng.below(at + 1) : at;
        reader.segment(first + static_cast<std::uint32_t>(again),
                       std::string_view(stream).substr(again, at - again + size));
        at = std::min(at + size, stream.size());
    }
    reader.end();
    return reader.seen();
}

TEST(HttpProperty, AgreesWithTheOracle)
{
    const char* given = std::getenv("HOSTWARD_SEED");
    const std::uint64_t seed =
        given == nullptr ? std::random_device{}() : parse_number<std::uint64_t>(given).value_or(0);
    Rng rng(seed);
    std::array<std::size_t, HW_IMDS_COUNT> met{};
    std::size_t longest = 0;
    for (int i = 0; i < 60'000; ++i) {
        const std::string stream = random_stream(rng);
        const Versions expected = oracle_requests(stream);
        ASSERT_EQ(read_in_segments(rng, stream), expected) << "HOSTWARD_SEED=" << seed << " " << escape(stream);
        for (const unsigned version : expected) {
            ++met.at(version);
        }
        longest = std::max(longest, expected.size());
    }
    // A comparison that never sees a case says nothing about it.
    EXPECT_GT(met[HW_IMDS_V1], 1000U);
    EXPECT_GT(met[HW_IMDS_V2], 1000U);
    EXPECT_GT(met[HW_IMDS_UNKNOWN], 1000U);
    EXPECT_GE(longest, 5U);
}

} // namespace
} // namespace hostward::test
