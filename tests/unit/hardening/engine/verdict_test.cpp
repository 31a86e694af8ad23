// SPDX-License-Identifier: Apache-2.0
#include "hardening/engine/verdict.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

Outcome with(Verdict verdict) { return Outcome::of(verdict, {"", verdict_name(verdict), "/x"}); }

std::vector<Outcome> parts(const std::vector<Verdict>& verdicts)
{
    std::vector<Outcome> out;
    for (const auto verdict : verdicts) {
        out.push_back(with(verdict));
    }
    return out;
}

using enum Verdict;

TEST(Folds, AllHolds)
{
    EXPECT_EQ(all_of(parts({Pass, Pass})).verdict, Pass);
    EXPECT_EQ(all_of(parts({Pass, NotApplicable})).verdict, Pass);
    EXPECT_EQ(all_of(parts({Pass, CannotTell})).verdict, CannotTell);
    EXPECT_EQ(all_of(parts({Pass, CannotTell, Fail})).verdict, Fail);
    EXPECT_EQ(all_of(parts({Pass, Manual})).verdict, Manual);
    EXPECT_EQ(all_of(parts({NotApplicable})).verdict, NotApplicable);
}

TEST(Folds, AnyHolds)
{
    EXPECT_EQ(any_of(parts({Fail, Pass})).verdict, Pass);
    EXPECT_EQ(any_of(parts({Fail, CannotTell})).verdict, CannotTell);
    EXPECT_EQ(any_of(parts({Fail, NotApplicable})).verdict, Fail);
    EXPECT_EQ(any_of(parts({NotApplicable, NotApplicable})).verdict, NotApplicable);
}

TEST(Folds, NoneHolds)
{
    EXPECT_EQ(none_of(parts({Fail, Fail})).verdict, Pass);
    EXPECT_EQ(none_of(parts({Fail, Pass})).verdict, Fail);
    EXPECT_EQ(none_of(parts({Fail, CannotTell})).verdict, CannotTell);
}

TEST(Folds, ExactlyOneHolds)
{
    EXPECT_EQ(exactly_one_of(parts({Fail, Pass})).verdict, Pass);
    EXPECT_EQ(exactly_one_of(parts({Pass, Pass, CannotTell})).verdict, Fail);
    EXPECT_EQ(exactly_one_of(parts({Pass, CannotTell})).verdict, CannotTell);
    EXPECT_EQ(exactly_one_of(parts({Fail, Fail})).verdict, Fail);
}

/// However verdicts are folded: what cannot be told never becomes a pass, unless another part alone decides.
TEST(Folds, CannotTellNeverBecomesPassByItself)
{
    for (const auto fold : {all_of, any_of, none_of, exactly_one_of}) {
        for (const auto other : {Fail, NotApplicable, Manual, CannotTell}) {
            EXPECT_NE(fold(parts({CannotTell, other})).verdict, Pass);
        }
    }
    EXPECT_NE(all_of(parts({CannotTell, Pass})).verdict, Pass);
    EXPECT_NE(none_of(parts({CannotTell, Pass})).verdict, Pass);
    EXPECT_NE(exactly_one_of(parts({CannotTell, Pass})).verdict, Pass);
}

TEST(Folds, EvidenceIsOfThePartsThatDecide)
{
    const auto out = all_of(parts({Pass, Fail, CannotTell}));
    ASSERT_EQ(out.evidence.size(), 1U);
    EXPECT_EQ(out.evidence[0].found, "fail");
}

TEST(Outcome, EvidenceIsCappedAndCounted)
{
    Outcome out;
    for (std::size_t i = 0; i < kEvidenceMax + 5; ++i) {
        out.add({"", "", ""});
    }
    EXPECT_EQ(out.evidence.size(), kEvidenceMax);
    EXPECT_EQ(out.evidence_dropped, 5U);
}

} // namespace
} // namespace hostward::hardening
