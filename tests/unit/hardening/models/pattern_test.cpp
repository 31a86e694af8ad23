// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/pattern.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

TEST(Pattern, MatchesAnywhere)
{
    const auto pattern = Pattern::compile(R"(\\[mrsv])");
    ASSERT_TRUE(pattern);
    EXPECT_TRUE(pattern->matches("Debian \\v here"));
    EXPECT_FALSE(pattern->matches("Debian v here"));
    EXPECT_TRUE(Pattern::compile("^$")->matches(""));
    EXPECT_TRUE(Pattern::compile("debian", Case::Ignore)->matches("DEBIAN"));
    EXPECT_FALSE(Pattern::compile("debian")->matches("DEBIAN"));
    EXPECT_TRUE(Pattern::compile("b.d")->matches("b\xff"
                                                 "d")); // bytes, not characters
}

TEST(Pattern, WhatTheParenthesisTook)
{
    std::string group;
    EXPECT_TRUE(Pattern::compile(R"(^umask\s+(\d+))")->find("umask 027", group));
    EXPECT_EQ(group, "027");
    EXPECT_TRUE(Pattern::compile("x+")->find("axxb", group));
    EXPECT_EQ(group, "xx");
    EXPECT_TRUE(Pattern::compile("a(b)?")->find("a", group));
    EXPECT_EQ(group, "");
    EXPECT_FALSE(Pattern::compile("z")->find("a", group));
}

TEST(Pattern, NoExpressionIsAnError)
{
    EXPECT_FALSE(Pattern::compile("("));
    EXPECT_FALSE(Pattern::compile("a(?!b)")); // needs backtracking
    EXPECT_FALSE(Pattern::compile("(a)\\1"));
}

TEST(Pattern, HostileTextTakesLinearTime)
{
    const auto pattern = Pattern::compile("^(a+)+$");
    ASSERT_TRUE(pattern);
    EXPECT_FALSE(pattern->matches(std::string(100'000, 'a') + "b"));
}

} // namespace
} // namespace hostward::hardening
