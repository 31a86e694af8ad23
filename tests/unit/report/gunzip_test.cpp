// SPDX-License-Identifier: Apache-2.0
#include "agent/report/gunzip.h"

#include <gmock/gmock.h>
#include <zlib.h>

namespace hostward::report {
namespace {

using testing::HasSubstr;

std::string gzip(const std::string& text)
{
    constexpr int kGzip = 15 + 16;
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(deflateBound(&stream, text.size()), '\0');
    std::string copy = text;
    stream.next_in = reinterpret_cast<Bytef*>(copy.data());
    stream.avail_in = static_cast<uInt>(copy.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    (void)deflateEnd(&stream);
    return out;
}

TEST(Gunzip, ReadsOneWholeMember)
{
    const std::string text(200000, 'x');
    EXPECT_TRUE(is_gzip(gzip(text)));
    EXPECT_EQ(*gunzip(gzip(text), text.size()), text);
    EXPECT_EQ(*gunzip(gzip(""), 0), "");
}

TEST(Gunzip, RefusesTheRest)
{
    const std::string good = gzip("a report");
    EXPECT_THAT(gunzip(gzip(std::string(1 << 20, 'x')), 1000).error().text, HasSubstr("more than 1000 bytes"));
    EXPECT_THAT(gunzip(good.substr(0, good.size() - 1), 100).error().text, HasSubstr("cut off"));
    EXPECT_THAT(gunzip(good + "x", 100).error().text, HasSubstr("followed by"));
    std::string changed = good;
    changed[good.size() - 6] ^= 1; // its checksum
    EXPECT_FALSE(gunzip(changed, 100));
    EXPECT_FALSE(gunzip("", 100));
    EXPECT_FALSE(gunzip("\x1f\x8b", 100));
}

} // namespace
} // namespace hostward::report
