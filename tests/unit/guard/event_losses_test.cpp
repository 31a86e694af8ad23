// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/event_losses.h"

#include <gtest/gtest.h>

namespace hostward::guard {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

TEST(EventLosses, ComplainsAtOnceAndThenOnceAMinute)
{
    EventLosses losses;
    EXPECT_EQ(losses.lost("disk full", 5 * kSecond),
              "disk full, continuing without the lines: 1 lost so far, decisions are counted");
    for (std::uint64_t i = 1; i < 1000; ++i) {
        EXPECT_EQ(losses.lost("disk full", 5 * kSecond + i), "");
    }
    EXPECT_EQ(losses.lost("disk full", 65 * kSecond),
              "disk full, continuing without the lines: 1001 lost so far, decisions are counted");
    EXPECT_EQ(losses.lost("disk full", 66 * kSecond), "");
    EXPECT_EQ(losses.total(), 1002U);
}

TEST(EventLosses, SaysWhenItIsOver)
{
    EventLosses losses;
    EXPECT_EQ(losses.written(), "") << "nothing was lost";
    (void)losses.lost("disk full", kSecond);
    (void)losses.lost("disk full", kSecond);
    EXPECT_EQ(losses.written(), "events are written again, lines lost: 2");
    EXPECT_EQ(losses.written(), "");
    EXPECT_NE(losses.lost("disk full", kSecond + 1), "") << "a new row of losses is said at once";
    EXPECT_EQ(losses.total(), 3U);
}

} // namespace
} // namespace hostward::guard
