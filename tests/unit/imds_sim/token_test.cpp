// SPDX-License-Identifier: Apache-2.0
#include "tests/imds_sim/token.h"

#include <gtest/gtest.h>

#include <set>

namespace hostward::imds_sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const TokenIssuer::TimePoint kStart{seconds(1000)};

TokenIssuer issuer() { return TokenIssuer::create().take(); }

TEST(Token, IsValidUntilItsExpiryAndNoLonger)
{
    TokenIssuer tokens = issuer();
    const auto token = tokens.issue(kStart, seconds(5));
    EXPECT_EQ(token.size(), 56U);
    EXPECT_EQ(tokens.check(token, kStart), TokenState::Valid);
    EXPECT_EQ(tokens.check(token, kStart + milliseconds(4999)), TokenState::Valid);
    EXPECT_EQ(tokens.check(token, kStart + seconds(5)), TokenState::Expired);
}

TEST(Token, BelongsToTheInstanceThatGaveIt)
{
    TokenIssuer one = issuer();
    const TokenIssuer other = issuer();
    EXPECT_EQ(other.check(one.issue(kStart, seconds(60)), kStart), TokenState::Invalid);
}

TEST(Token, IsRefusedWhenAnyCharacterChanges)
{
    TokenIssuer tokens = issuer();
    const auto token = tokens.issue(kStart, seconds(60));
    for (std::size_t i = 0; i < token.size(); ++i) {
        auto changed = token;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_EQ(tokens.check(changed, kStart), TokenState::Invalid) << "position " << i;
    }
}

TEST(Token, HasOneSpellingOnly)
{
    TokenIssuer tokens = issuer();
    const auto token = tokens.issue(kStart, seconds(60));
    const auto last = token.size() - 3; // the character before "==" has bits that mean nothing
    int valid = 0;
    for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")) {
        auto other = token;
        other[last] = c;
        valid += tokens.check(other, kStart) == TokenState::Valid ? 1 : 0;
    }
    EXPECT_EQ(valid, 1);
}

TEST(Token, IsRefusedWhenItIsNone)
{
    const TokenIssuer tokens = issuer();
    for (const auto* text : {"", "==", "token", "AQAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="}) {
        EXPECT_EQ(tokens.check(text, kStart), TokenState::Invalid) << text;
    }
}

TEST(Token, AnyNumberIsValidAtOnceAndNoTwoAreEqual)
{
    TokenIssuer tokens = issuer();
    std::set<std::string> seen;
    const auto first = tokens.issue(kStart, seconds(60));
    for (int i = 0; i < 10000; ++i) {
        ASSERT_TRUE(seen.insert(tokens.issue(kStart, seconds(60))).second);
    }
    EXPECT_EQ(tokens.check(first, kStart), TokenState::Valid);
}

} // namespace
} // namespace hostward::imds_sim
