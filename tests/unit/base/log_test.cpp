// SPDX-License-Identifier: Apache-2.0
#include "agent/base/log.h"
#include "agent/base/terminal.h"

#include <gtest/gtest.h>

#include <string>

namespace hostward {
namespace {

std::string logged(LogLevel level, std::string_view text)
{
    testing::internal::CaptureStderr();
    log(level, text);
    return testing::internal::GetCapturedStderr();
}

class Log : public testing::Test {
protected:
    ~Log() override { set_log(LogStyle::Plain, LogLevel::Info); }
};

TEST_F(Log, NamesTheLevel)
{
    EXPECT_EQ(logged(LogLevel::Info, "a"), "hostward: a\n");
    EXPECT_EQ(logged(LogLevel::Warning, "a"), "hostward: warning: a\n");
    EXPECT_EQ(logged(LogLevel::Error, "a"), "hostward: error: a\n");
    EXPECT_EQ(logged(LogLevel::Debug, "a"), "");
}

TEST_F(Log, TellsTheJournalTheLevelOfEveryLine)
{
    set_log(LogStyle::Journal, LogLevel::Debug);
    EXPECT_EQ(logged(LogLevel::Error, "a\nb"), "<3>a\n<3>b\n");
    EXPECT_EQ(logged(LogLevel::Warning, "a"), "<4>a\n");
    EXPECT_EQ(logged(LogLevel::Info, "a"), "<6>a\n");
    EXPECT_EQ(logged(LogLevel::Debug, "a"), "<7>a\n");
}

TEST_F(Log, LetsNoControlCharacterThrough)
{
    EXPECT_EQ(logged(LogLevel::Info, "a\x1b[31m\r%s{}\x7f"), "hostward: a\\x1b[31m\\x0d%s{}\\x7f\n");
}

TEST(Printable, KeepsQuotesAndBackslashes)
{
    EXPECT_EQ(printable(""), "");
    EXPECT_EQ(printable(R"(a "b\x0a" \)"), R"(a "b\x0a" \)");
    EXPECT_EQ(printable("\"\n\\\xff"), "\"\\x0a\\\\xff");
    EXPECT_EQ(printable("\xc3\xa9\xe2\x80\xae"), "\xc3\xa9\\xe2\\x80\\xae");
}

} // namespace
} // namespace hostward
