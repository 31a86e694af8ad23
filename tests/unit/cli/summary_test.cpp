// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/summary.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <limits>

namespace hostward::cli {
namespace {

using Json = nlohmann::json;
using hardening::Verdict;

constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
const std::string kHostile(300, '\\');
constexpr std::string_view kHow = "there is a way";

/// A profile with its rules and a report about them.
struct World {
    hardening::Profile profile;
    std::vector<hardening::Recommendation> recommendations;
    std::vector<hardening::Rule> rules;
    hardening::Report report;

    /// One failure of a rule of this name.
    void fail(const std::string& id, hardening::Severity severity)
    {
        rules.emplace_back();
        rules.back().id = id;
        rules.back().severity = severity;
        recommendations.emplace_back();
        recommendations.back().number = std::to_string(recommendations.size());
        report.findings.emplace_back();
        report.findings.back().outcome.verdict = Verdict::Fail;
    }
    /// After the last fail(): what the report points to stays where it is now.
    const hardening::Report& done()
    {
        report.profile = &profile;
        for (std::size_t i = 0; i < report.findings.size(); ++i) {
            report.findings[i].recommendation = &recommendations[i];
            report.findings[i].rule = &rules[i];
        }
        return report;
    }
};

Json parsed(const std::string& line)
{
    EXPECT_LE(line.size(), kSummaryBytesMax);
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
    EXPECT_TRUE(line.ends_with('\n'));
    Json out = Json::parse(line, nullptr, false);
    EXPECT_FALSE(out.is_discarded()) << line;
    return out;
}

TEST(Summary, OfACheck)
{
    World world;
    world.profile.id = "cis-debian-12";
    world.report.subject.host_name = "web-1";
    world.fail("low-one", hardening::Severity::Low);
    world.fail("worst-one", hardening::Severity::Critical);
    world.fail("waived-one", hardening::Severity::Critical);
    world.report.findings.back().waiver = hardening::AppliedWaiver{};
    world.fail("fine-one", hardening::Severity::High);
    world.report.findings.back().outcome.verdict = Verdict::Pass;
    EXPECT_EQ(check_summary(world.done()),
              R"({"version":1,"summary":"check","profile":"cis-debian-12","host":"web-1","pass":1,"fail":3,)"
              R"("cannot-tell":0,"manual":0,"not-applicable":0,"waived":1,"score":25.0,"truncated":false,)"
              R"("worst":["worst-one","low-one"]})"
              "\n");
}

TEST(Summary, OfACheckWithoutAScore)
{
    World world;
    EXPECT_TRUE(parsed(check_summary(world.done()))["score"].is_null());
}

TEST(Summary, NeverTooLongWhateverNamesThereAre)
{
    for (const std::string& name :
         {kHostile, std::string(300, '"'), std::string(300, '\x01'), std::string(300, '\xff'),
          std::string(100, 'x') + "\xc3\xa9", std::string("\xf0\x9f\x92\xa9\xf0\x9f\x92\xa9")}) {
        World world;
        world.profile.id = name;
        world.report.subject.host_name = name + name;
        for (int i = 0; i < 120; ++i) {
            world.fail(name + std::to_string(i), hardening::Severity::High);
        }
        world.fail("last", hardening::Severity::Critical);
        const Json out = parsed(check_summary(world.done()));
        EXPECT_EQ(out["fail"], 121);
        EXPECT_EQ(out["truncated"], true);
        EXPECT_EQ(out["worst"][0], "last");
    }
}

TEST(Summary, CutsBetweenCharacters)
{
    for (std::size_t before = 0; before < 4; ++before) {
        World world;
        world.report.subject.host_name = std::string(before, 'a');
        for (int i = 0; i < 40; ++i) {
            world.report.subject.host_name += "\xf0\x9f\x92\xa9";
        }
        const std::string host = parsed(check_summary(world.done()))["host"];
        EXPECT_TRUE(host.ends_with("\xf0\x9f\x92\xa9...")) << host;
    }
}

TEST(Summary, FillsTheLineAndNoMore)
{
    std::size_t longest = 0;
    for (std::size_t size = 3; size < 40; size += 4) {
        World world;
        for (int i = 0; i < 150; ++i) {
            world.fail(std::string(size, 'r'), hardening::Severity::High);
        }
        const std::string line = check_summary(world.done());
        parsed(line);
        longest = std::max(longest, line.size());
    }
    EXPECT_GT(longest, kSummaryBytesMax - 8); // of some size a name ends near the end
}

TEST(Summary, OfTheGuardWithTheLargestCounters)
{
    guard::GuardStatus status;
    EXPECT_EQ(guard_summary(status), "{\"version\":1,\"summary\":\"guard\",\"state\":\"absent\"}\n");
    status.loaded = true;
    status.policy_digest = std::string(64, 'f');
    status.rules = {{"a", true, kMost, 0, 0, {}}};
    status.endpoints = {{"imds", false, 0, kMost, kMost, {}}};
    status.requests.v1 = kMost;
    status.layers = {{"connect", guard::LayerState::On, "", {}},
                     {"tc", guard::LayerState::Partial, kHostile, {}},
                     {"lsm", guard::LayerState::Unavailable, "", {}},
                     {"seal", guard::LayerState::Off, "", {}}};
    status.rows = {{"a", "", true, "", ""}, {"b", "", false, "", ""}};
    const Json out = parsed(guard_summary(status));
    EXPECT_EQ(out["state"], "enforce");
    EXPECT_EQ(out["allowed"], kMost);
    EXPECT_EQ(out["denied"], kMost);
    EXPECT_EQ(out["would_deny"], kMost);
    EXPECT_EQ(out["open_rows"], 1);
    EXPECT_EQ(out["layers_not_on"], Json::parse(R"(["tc","lsm","seal"])"));
    EXPECT_EQ(out["truncated"], false);
}

TEST(Summary, OfAReport)
{
    report::RunResult result;
    result.report.id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    result.report.sequence = 7;
    result.report.identity.instance_id = kHostile;
    result.sinks = {{"fine", 2, 0, 0, ""}, {"down", 0, 1, 3, "refused"}};
    const Json out = parsed(run_summary(result));
    EXPECT_EQ(out["sent"], 2);
    EXPECT_EQ(out["refused"], 1);
    EXPECT_EQ(out["waiting"], 3);
    EXPECT_EQ(out["all_sent"], false);
    EXPECT_EQ(out["sinks_behind"], Json::parse(R"(["down"])"));
    EXPECT_EQ(out["truncated"], true); // the id of the instance
}

TEST(Summary, OfAnError)
{
    const Json out = parsed(error_summary("check", Error{ErrorKind::Invalid, 0, kHostile + "\n\xff"}));
    EXPECT_EQ(out["summary"], "check");
    EXPECT_TRUE(out["error"].get<std::string>().starts_with("\\\\"));
}

TEST(Bounded, LeavesShortTextAlone) { EXPECT_EQ(bounded("{}\n", "a\nb\n", 7, kHow), "{}\na\nb\n"); }

TEST(Bounded, CountsTheLinesThatItLeavesOut)
{
    const std::string text = "one\ntwo\n" + std::string(5000, 'x') + "\nfour\nfive";
    EXPECT_EQ(bounded("{}\n", text, 1000, kHow), "{}\none\ntwo\n... and 3 more lines: there is a way\n");
}

TEST(Bounded, IsNeverLongerThanAsked)
{
    const std::string summary(kSummaryBytesMax, 's');
    std::string text;
    for (int i = 0; i < 3000; ++i) {
        text += std::string(static_cast<std::size_t>(i % 90), 'x') + "\n";
    }
    for (std::size_t most = 1000; most < 1300; most += 17) {
        const std::string out = bounded(summary, text, most, kHow);
        EXPECT_LE(out.size(), most);
        EXPECT_GT(out.size(), most - 200); // it does not throw away what fits
        const auto shown = std::count(out.begin(), out.end(), '\n') - 1;
        EXPECT_NE(out.find("... and " + std::to_string(3000 - shown) + " more lines"), std::string::npos);
    }
}

} // namespace
} // namespace hostward::cli
