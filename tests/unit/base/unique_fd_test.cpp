// SPDX-License-Identifier: Apache-2.0
#include "agent/base/unique_fd.h"

#include <gtest/gtest.h>

#include <fcntl.h>

namespace hostward {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

UniqueFd open_null()
{
    UniqueFd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    EXPECT_TRUE(fd.valid());
    return fd;
}

TEST(UniqueFd, ClosesAtTheEnd)
{
    int number = -1;
    {
        const UniqueFd fd = open_null();
        number = fd.get();
        EXPECT_TRUE(is_open(number));
    }
    EXPECT_FALSE(is_open(number));
}

TEST(UniqueFd, EmptyOwnsNothing)
{
    const UniqueFd fd;
    EXPECT_FALSE(fd);
    EXPECT_EQ(fd.get(), -1);
}

TEST(UniqueFd, MoveHandsOver)
{
    UniqueFd from = open_null();
    const int number = from.get();
    const UniqueFd to = std::move(from);
    EXPECT_EQ(to.get(), number);
    EXPECT_FALSE(from.valid()); // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move): that is tested
    EXPECT_TRUE(is_open(number));
}

TEST(UniqueFd, AssignmentClosesTheOldOne)
{
    UniqueFd a = open_null();
    UniqueFd b = open_null();
    const int old = a.get();
    a = std::move(b);
    EXPECT_FALSE(is_open(old));
    EXPECT_TRUE(is_open(a.get()));
}

TEST(UniqueFd, SelfMoveKeepsIt)
{
    UniqueFd fd = open_null();
    UniqueFd& same = fd;
    fd = std::move(same);
    EXPECT_TRUE(is_open(fd.get()));
}

TEST(UniqueFd, ReleaseGivesUpOwnership)
{
    int number = -1;
    {
        UniqueFd fd = open_null();
        number = fd.release();
        EXPECT_FALSE(fd.valid());
    }
    EXPECT_TRUE(is_open(number));
    const UniqueFd again(number);
}

TEST(UniqueFd, ResetToItselfKeepsIt)
{
    UniqueFd fd = open_null();
    fd.reset(fd.get());
    EXPECT_TRUE(is_open(fd.get()));
    const int number = fd.get();
    fd.reset();
    EXPECT_FALSE(is_open(number));
}

} // namespace
} // namespace hostward
