// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/reasons.h"

#include <gtest/gtest.h>

#include <set>

namespace hostward::guard {
namespace {

using Lookup = Wording (*)(unsigned number);

/// Every number has a name of its own, and the one after the last is unknown.
void expect_distinct(Lookup lookup, unsigned count)
{
    std::set<std::string_view> names;
    for (unsigned i = 0; i < count; ++i) {
        const Wording wording = lookup(i);
        EXPECT_NE(wording.name, "unknown") << i;
        EXPECT_FALSE(wording.text.empty()) << i;
        EXPECT_EQ(wording.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string_view::npos);
        EXPECT_TRUE(names.insert(wording.name).second) << wording.name;
    }
    EXPECT_EQ(lookup(count).name, "unknown");
    EXPECT_EQ(lookup(0xffffffffU).name, "unknown");
}

TEST(Reasons, EveryNumberHasItsOwnName)
{
    expect_distinct(reason_wording, HW_REASON_COUNT);
    expect_distinct(hook_wording, HW_HOOK_COUNT);
    expect_distinct(lost_wording, HW_LOST_COUNT);
    expect_distinct(verdict_wording, HW_BROKER + 1);
}

// These stand in other people's scripts.
TEST(Reasons, NamesAreStable)
{
    EXPECT_EQ(reason_wording(HW_REASON_RULE).name, "rule");
    EXPECT_EQ(reason_wording(HW_REASON_DEFAULT).name, "default");
    EXPECT_EQ(reason_wording(HW_REASON_UNTAGGED).name, "untagged");
    EXPECT_EQ(reason_wording(HW_REASON_STALE).name, "stale");
    EXPECT_EQ(reason_wording(HW_REASON_GROUPS_OVERFLOW).name, "groups_overflow");
    EXPECT_EQ(reason_wording(HW_REASON_SEALED).name, "sealed");
    for (unsigned reason = 0; reason < HW_REASON_COUNT; ++reason) {
        EXPECT_EQ(reason_number(reason_wording(reason).name), reason);
    }
    EXPECT_EQ(reason_number("unknown"), std::nullopt);
    EXPECT_EQ(reason_number(""), std::nullopt);
    EXPECT_EQ(hook_wording(HW_HOOK_CONNECT4).name, "connect4");
    EXPECT_EQ(hook_wording(HW_HOOK_LSM).name, "lsm");
    EXPECT_EQ(hook_wording(HW_HOOK_REQUEST).name, "request");
    EXPECT_EQ(imds_wording(HW_IMDS_V1).name, "1");
    EXPECT_EQ(imds_wording(HW_IMDS_UNKNOWN).name, "unknown");
    EXPECT_EQ(lost_wording(HW_LOST_FLOWS_FULL).name, "flows_full");
    EXPECT_EQ(verdict_wording(HW_ALLOW).name, "allow");
}

} // namespace
} // namespace hostward::guard
