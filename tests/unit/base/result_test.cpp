// SPDX-License-Identifier: Apache-2.0
#include "agent/base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace hostward {
namespace {

Result<int> half(int value)
{
    if (value % 2 != 0) {
        return invalid_error(std::to_string(value) + " is odd");
    }
    return value / 2;
}

Result<int> quarter(int value)
{
    TRY_ASSIGN(const int once, half(value));
    TRY_ASSIGN(const int twice, half(once));
    return twice;
}

Status check(int value, int& steps)
{
    TRY(half(value));
    ++steps;
    return success();
}

TEST(Result, HoldsAValueOrAnError)
{
    EXPECT_TRUE(half(4).ok());
    EXPECT_EQ(*half(4), 2);
    const auto failed = half(3);
    EXPECT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, ErrorKind::Invalid);
    EXPECT_EQ(failed.error().text, "3 is odd");
}

TEST(Result, TryStopsAtTheFirstError)
{
    EXPECT_EQ(*quarter(8), 2);
    EXPECT_EQ(quarter(6).error().text, "3 is odd");
    EXPECT_EQ(quarter(7).error().text, "7 is odd");
    int steps = 0;
    EXPECT_FALSE(check(1, steps).ok());
    EXPECT_EQ(steps, 0);
    EXPECT_TRUE(check(2, steps).ok());
    EXPECT_EQ(steps, 1);
}

TEST(Result, MovesValuesThatCannotBeCopied)
{
    Result<std::unique_ptr<int>> owner(std::make_unique<int>(5));
    const auto taken = owner.take();
    EXPECT_EQ(*taken, 5);
}

TEST(ResultDeathTest, WrongSideEndsTheProcess)
{
    EXPECT_DEATH((void)half(3).value(), "");
    EXPECT_DEATH((void)half(4).error(), "");
}

TEST(Error, ContextStandsBeforeTheText)
{
    const Error error = invalid_error("is odd").in("3").in("halving");
    EXPECT_EQ(error.text, "halving: 3: is odd");
    EXPECT_EQ(error.kind, ErrorKind::Invalid);
}

TEST(Error, KindFollowsFromTheNumber)
{
    EXPECT_EQ(system_error(ENOENT, "x").kind, ErrorKind::NotFound);
    EXPECT_EQ(system_error(EPERM, "x").kind, ErrorKind::Denied);
    EXPECT_EQ(system_error(EOPNOTSUPP, "x").kind, ErrorKind::Unsupported);
    EXPECT_EQ(system_error(ENOSPC, "x").kind, ErrorKind::Exhausted);
    EXPECT_EQ(system_error(EBUSY, "x").kind, ErrorKind::Conflict);
    EXPECT_EQ(system_error(EIO, "x").kind, ErrorKind::System);
    const Error error = system_error(EACCES, "opening \"a\"");
    EXPECT_EQ(error.error_number, EACCES);
    EXPECT_EQ(error.text, "opening \"a\": Permission denied");
}

} // namespace
} // namespace hostward
