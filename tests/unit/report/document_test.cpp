// SPDX-License-Identifier: Apache-2.0
#include "agent/report/document.h"
#include "agent/report/report_identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace hostward::report {

namespace {

using testing::HasSubstr;

DocumentFacts known_facts()
{
    DocumentFacts out;
    out.id = make_ulid(1'795'000'000'000, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    out.sequence = 7;
    out.created_s = 1'795'000'000;
    out.identity = {"111122223333",  "eu-central-1", "i-0123456789abcdef0", "ami-0a1b2c3d4e5f60718", "m7i.large",
                    "eu-central-1a", "x86_64",       "2026-03-01T08:15:30Z"};
    return out;
}

constexpr auto kPosture =
    R"({"collected_at":"2026-11-21T09:00:00Z","guard":{"known":false},"checks":[{"id":"inner"}]})";

std::string error_of(const DocumentFacts& facts, std::string_view posture)
{
    const auto made = make_report(facts, posture);
    return made.ok() ? "accepted" : made.error().text;
}

TEST(Ulid, IsTheExampleOfItsSpecification)
{
    // https://github.com/ulid/spec: 01ARYZ6S41 stands for 1469918176385 ms.
    EXPECT_EQ(make_ulid(1469918176385, {}).substr(0, 10), "01ARYZ6S41");
    EXPECT_EQ(make_ulid(0, {}), "00000000000000000000000000");
    std::array<unsigned char, kUlidRandomBytes> all{};
    all.fill(0xff);
    EXPECT_EQ(make_ulid((1ULL << 48) - 1, all), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
}

TEST(Ulid, SortsByTime)
{
    std::array<unsigned char, kUlidRandomBytes> all{};
    all.fill(0xff);
    EXPECT_LT(make_ulid(1000, all), make_ulid(1001, {}));
    EXPECT_LT(make_ulid(0xffff'ffff, all), make_ulid(0x1'0000'0000, {}));
}

TEST(Report, ComesBackAsItWas)
{
    const auto made = make_report(known_facts(), kPosture);
    ASSERT_TRUE(made.ok()) << made.error().text;
    EXPECT_THAT(made->bytes, testing::StartsWith(R"({"schema":"hostward.posture/1","id":")"));
    EXPECT_THAT(made->bytes, testing::EndsWith(std::string(kPosture).substr(1)));
    EXPECT_EQ(made->sequence, 7U);
    EXPECT_THAT(made->bytes, HasSubstr(R"("sequence":7,)"));
    EXPECT_EQ(made->created_s, 1'795'000'000);
    const auto subject = read_subject(made->bytes);
    ASSERT_TRUE(subject.ok()) << subject.error().text;
    EXPECT_EQ(subject->id, known_facts().id); // not the "id" inside a check
    EXPECT_EQ(subject->created_at, "2026-11-18T11:06:40Z");
    EXPECT_EQ(subject->partition, "aws");
    EXPECT_EQ(subject->identity.instance_id, "i-0123456789abcdef0");
    EXPECT_EQ(subject->identity.account_id, "111122223333");
}

TEST(Report, SaysWhyTheIdentityIsUnknown)
{
    auto facts = known_facts();
    facts.identity = {};
    facts.identity_unknown = "nobody answers at 169.254.169.254";
    const auto made = make_report(facts, "{}");
    ASSERT_TRUE(made.ok()) << made.error().text;
    EXPECT_THAT(made->bytes, testing::EndsWith(R"("identity":{"unknown":"nobody answers at 169.254.169.254"}})"));
    EXPECT_FALSE(read_subject(made->bytes).ok());
    EXPECT_EQ(made->identity.instance_id, "");
}

TEST(Report, TakesNoOtherPosture)
{
    const auto facts = known_facts();
    for (const auto* bad : {"", "[]", "7", "{", "{}x", "{}{}", " {}", "{}\n", "{\n}", R"({"a":1,})", "{'a':1}"}) {
        EXPECT_THAT(error_of(facts, bad), HasSubstr("not one JSON object on one line")) << bad;
    }
    EXPECT_THAT(error_of(facts, R"({"sequence":9})"), HasSubstr("member \"sequence\""));
    EXPECT_THAT(error_of(facts, R"({"a":{"id":1},"identity":{}})"), HasSubstr("member \"identity\""));
    EXPECT_THAT(error_of(facts, R"({"a":{"b":1,"b":2}})"), HasSubstr("member \"b\" twice"));
    EXPECT_EQ(error_of(facts, R"({"a":{"id":1}})"), "accepted");
    EXPECT_THAT(error_of(facts, std::string(kPostureBytesMax + 1, ' ')), HasSubstr("allowed are 12582912"));
    EXPECT_THAT(error_of(facts, R"({"a":)" + std::string(5000, '[') + std::string(5000, ']') + "}"),
                HasSubstr("not one JSON object"));
}

} // namespace
} // namespace hostward::report
