// SPDX-License-Identifier: Apache-2.0
#include "agent/base/text.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace hostward {
namespace {

TEST(Escape, KeepsPrintableText)
{
    EXPECT_EQ(escape("/usr/bin/a b~!"), "/usr/bin/a b~!");
    EXPECT_EQ(escape(""), "");
    EXPECT_EQ(escape("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
}

TEST(Escape, ControlCharactersAndQuotes)
{
    EXPECT_EQ(escape("a\nb\x1b[31m\t"), "a\\x0ab\\x1b[31m\\x09");
    EXPECT_EQ(escape(std::string_view("\0\x7f", 2)), "\\x00\\x7f");
    EXPECT_EQ(escape("\\\""), "\\\\\\\"");
    EXPECT_EQ(quote("a\"b"), "\"a\\\"b\"");
}

TEST(Escape, BrokenUtf8IsHex)
{
    EXPECT_EQ(escape("\xff"), "\\xff");
    EXPECT_EQ(escape("\x80"), "\\x80") << "continuation without a start";
    EXPECT_EQ(escape("\xc3"), "\\xc3") << "cut at the end";
    EXPECT_EQ(escape("\xc3z"), "\\xc3z");
    EXPECT_EQ(escape("\xe2\x82"), "\\xe2\\x82");
    EXPECT_EQ(escape("\xc0\xaf"), "\\xc0\\xaf") << "overlong slash";
    EXPECT_EQ(escape("\xe0\x80\xaf"), "\\xe0\\x80\\xaf") << "overlong";
    EXPECT_EQ(escape("\xf0\x80\x80\xaf"), "\\xf0\\x80\\x80\\xaf") << "overlong";
    EXPECT_EQ(escape("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "surrogate";
    EXPECT_EQ(escape("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "over U+10FFFF";
    EXPECT_EQ(escape("\xf5\x80\x80\x80"), "\\xf5\\x80\\x80\\x80");
}

TEST(Escape, InvisibleCharactersAreShown)
{
    EXPECT_EQ(escape("\xe2\x80\xae"), "\\xe2\\x80\\xae") << "right-to-left override";
    EXPECT_EQ(escape("\xc2\x9b"), "\\xc2\\x9b") << "C1 control";
    EXPECT_EQ(escape("\xe2\x80\x8b"), "\\xe2\\x80\\x8b") << "zero width space";
    EXPECT_EQ(escape("\xef\xbb\xbf"), "\\xef\\xbb\\xbf") << "byte order mark";
}

TEST(ParseNumber, OnlyTheWholeText)
{
    EXPECT_EQ(parse_number<int>("-12"), -12);
    EXPECT_EQ(parse_number<std::uint32_t>("4294967295"), 4294967295U);
    EXPECT_EQ(parse_number<std::uint16_t>("ff", 16), 255);
    for (const char* text : {"", " 1", "1 ", "+1", "1x", "0x1", "4294967296", "-1", "1.0"}) {
        EXPECT_EQ(parse_number<std::uint32_t>(text), std::nullopt) << text;
    }
}

TEST(Split, KeepsEmptyParts)
{
    using Parts = std::vector<std::string_view>;
    EXPECT_EQ(split("a/b", '/'), (Parts{"a", "b"}));
    EXPECT_EQ(split("", '/'), Parts{""});
    EXPECT_EQ(split("/", '/'), (Parts{"", ""}));
    EXPECT_EQ(split("//a/", '/'), (Parts{"", "", "a", ""}));
}

TEST(Hex, TwoDigitsPerByte)
{
    const unsigned char bytes[] = {0x00, 0x0f, 0xf0, 0xff};
    EXPECT_EQ(hex(bytes, sizeof(bytes)), "000ff0ff");
    EXPECT_EQ(hex(bytes, 0), "");
}

} // namespace
} // namespace hostward
