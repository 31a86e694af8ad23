// SPDX-License-Identifier: Apache-2.0
// The rules and profiles that are shipped.
#include "hardening/engine/library.h"
#include "hardening/engine/parse.h"
#include "hardening/engine/report.h"
#include "hardening/primitives/primitives.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

Library shipped()
{
    const auto host = host::open_host();
    auto library = load_library(*host.value(), HOSTWARD_LIBRARY, all_primitives());
    EXPECT_TRUE(library.ok()) << library.error().text;
    return library ? library.take() : Library{};
}

/// The benchmarks' own counts: a row that gets lost is noticed.
TEST(Shipped, ProfilesHaveEveryRecommendation)
{
    const auto library = shipped();
    const std::map<std::string, std::pair<std::size_t, std::size_t>> wanted{
        {"cis-amazon-linux-2023", {222, 21}},
        {"cis-ubuntu-24.04", {291, 21}},
        {"cis-debian-12", {289, 21}},
        {"cis-rhel-9", {278, 20}},
        {"ec2", {22, 3}},
    };
    for (const auto& [id, counts] : wanted) {
        const Profile* profile = library.profile(id);
        ASSERT_NE(profile, nullptr) << id;
        const Coverage coverage = coverage_of(*profile);
        EXPECT_EQ(coverage.automated, counts.first) << id;
        EXPECT_EQ(coverage.manual, counts.second) << id;
    }
}

TEST(Shipped, EveryRuleIsUsed)
{
    const auto library = shipped();
    for (const auto& [id, rule] : library.rules) {
        const bool is_used = std::ranges::any_of(library.profiles, [&id = id](const Profile& profile) {
            return std::ranges::find(profile.recommendations, id, &Recommendation::rule) !=
                   profile.recommendations.end();
        });
        EXPECT_TRUE(is_used) << id << " at " << rule.place.text();
    }
}

/// The samples of the documentation are read as a newcomer would have the program read them.
TEST(Shipped, SamplesOfTheDocumentationAreValid)
{
    const auto host = host::open_host();
    const auto document = host.value()->read(HOSTWARD_DOCUMENT);
    ASSERT_TRUE(document.ok());
    const auto library = shipped();
    constexpr std::string_view kBegin = "```toml\n";
    std::size_t rules = 0;
    std::size_t tailorings = 0;
    for (auto at = document->find(kBegin); at != std::string::npos; at = document->find(kBegin, at + 1)) {
        const auto from = at + kBegin.size();
        const std::string block = document->substr(from, document->find("```", from) - from);
        if (block.find("[[rule]]") != std::string::npos) {
            const auto parsed = parse_rules(block, "checks.md", all_primitives());
            EXPECT_TRUE(parsed.ok()) << parsed.error().text;
            ++rules;
        } else {
            const auto parsed = parse_tailoring(block, "checks.md", library);
            EXPECT_TRUE(parsed.ok()) << parsed.error().text;
            ++tailorings;
        }
    }
    EXPECT_EQ(rules, 1U);
    EXPECT_EQ(tailorings, 1U);
}

} // namespace
} // namespace hostward::hardening
