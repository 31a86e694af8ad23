// SPDX-License-Identifier: Apache-2.0
#include "tests/imds_sim/faults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hostward::imds_sim {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

TEST(Faults, ReadsEverySetting)
{
    const auto settings = apply_settings("# comment\n\nslow=250\r\nstatus=503\nthrottle=7\nreset\non=get\n"
                                         "http-tokens=optional\nhttp-endpoint=disabled\nhop-limit=64\n",
                                         Settings{});
    ASSERT_TRUE(settings.ok()) << settings.error().text;
    EXPECT_EQ(settings->faults.slow_ms, 250);
    EXPECT_EQ(settings->faults.status, 503);
    EXPECT_EQ(settings->faults.throttle_per_second, 7);
    EXPECT_EQ(settings->faults.kind, FaultKind::Reset);
    EXPECT_EQ(settings->faults.scope, FaultScope::Get);
    EXPECT_FALSE(settings->tokens_required);
    EXPECT_FALSE(settings->endpoint_enabled);
    EXPECT_EQ(settings->hop_limit, 64);
}

TEST(Faults, RefusesWhatIsUnknownOrOutOfRange)
{
    for (const auto* wrong :
         {"slow", "slow=", "slow=-1", "slow=600001", "status=200", "status=600", "throttle=0", "hop-limit=0",
          "hop-limit=65", "hop-limit=1x", "garbage=1", "on=put", "http-tokens=v2", "nothing", "=1"}) {
        Settings settings;
        const auto status = apply_setting(wrong, settings);
        ASSERT_FALSE(status.ok()) << wrong;
        EXPECT_THAT(status.error().text, HasSubstr("allowed are")) << wrong;
    }
}

TEST(Faults, LeavesTheBaseAloneWhenALineIsWrong)
{
    Settings base;
    base.hop_limit = 3;
    EXPECT_FALSE(apply_settings("hop-limit=9\nnonsense", base).ok());
    EXPECT_EQ(base.hop_limit, 3);
}

TEST(Throttle, LetsTheRateThroughAndNoMore)
{
    Throttle throttle;
    Throttle::TimePoint now{std::chrono::seconds(50)};
    int allowed = 0;
    for (int i = 0; i < 10; ++i) {
        allowed += throttle.allows(now, 4) ? 1 : 0;
    }
    EXPECT_EQ(allowed, 4);
    now += milliseconds(250);
    EXPECT_TRUE(throttle.allows(now, 4));
    EXPECT_FALSE(throttle.allows(now, 4));
    now += std::chrono::hours(1); // a long silence gives one burst, not an hour's worth
    allowed = 0;
    for (int i = 0; i < 10; ++i) {
        allowed += throttle.allows(now, 4) ? 1 : 0;
    }
    EXPECT_EQ(allowed, 4);
}

} // namespace
} // namespace hostward::imds_sim
