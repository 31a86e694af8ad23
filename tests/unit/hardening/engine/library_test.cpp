// SPDX-License-Identifier: Apache-2.0
#include "hardening/engine/evaluate.h"
#include "hardening/engine/fail_on.h"
#include "hardening/engine/parse.h"
#include "hardening/engine/report.h"
#include "hardening/primitives/primitives.h"
#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kHead = R"([[rule]]
id = "a-rule"
title = "A title"
severity = "high"
rationale = "why"
remediation = "how"
)";

Result<std::vector<Rule>> rules(const std::string& rest)
{
    return parse_rules(kHead + rest, "r.toml", all_primitives());
}

std::string complaint(const std::string& rest)
{
    const auto parsed = rules(rest);
    return parsed ? "accepted" : parsed.error().text;
}

TEST(ParseRules, AWholeRule)
{
    const auto parsed = rules(R"(check = { all = [
  { os = { id = { parameter = "ids" } } },
  { if = { os = { id = ["debian"] } }, then = { none = [{ os = { id = ["x"] } }] } },
] }
[[rule.parameter]]
name = "ids"
default = ["debian", "ubuntu"]
about = "Which."
)");
    ASSERT_TRUE(parsed.ok()) << parsed.error().text;
    EXPECT_EQ(parsed.value()[0].severity, Severity::High);
    EXPECT_EQ(parsed.value()[0].check->parts.size(), 2U);
    EXPECT_EQ(parsed.value()[0].place.line, 1U);
}

TEST(ParseRules, ErrorsNameTheLineAndWhatIsAllowed)
{
    EXPECT_THAT(complaint("chekc = 1"), HasSubstr("r.toml:7: unknown key \"rule.chekc\""));
    EXPECT_THAT(complaint("check = { os = { id = \"x\" } }"),
                HasSubstr("os.id is a string: allowed is a list of text"));
    EXPECT_THAT(complaint("check = { os = { id = [] } }"), HasSubstr("os.id is empty"));
    EXPECT_THAT(complaint("check = { os = {} }"), HasSubstr("os.id is missing"));
    EXPECT_THAT(complaint("check = { os = { id = [\"x\"], no = 1 } }"), HasSubstr("unknown argument \"no\" of os"));
    EXPECT_THAT(complaint("check = { nothing = {} }"), HasSubstr("neither an operator nor a primitive"));
    EXPECT_THAT(complaint("check = { os = { id = [\"x\"] }, all = [] }"), HasSubstr("has 2 keys"));
    EXPECT_THAT(complaint("check = { if = { os = { id = [\"x\"] } } }"), HasSubstr("allowed beside it is `then`"));
    EXPECT_THAT(complaint("check = { os = { id = { parameter = \"p\" } } }"),
                HasSubstr("which the rule does not have"));
    EXPECT_THAT(complaint("check = { os = { id = { item = true } } }"), HasSubstr("outside for_each"));
    EXPECT_THAT(complaint(""), HasSubstr("needs either a check or manual = true"));
    EXPECT_THAT(complaint("manual = true\ncheck = { os = { id = [\"x\"] } }"), HasSubstr("needs either"));
}

Library library()
{
    auto some = rules(R"(check = { os = { id = { parameter = "ids" } } }
[[rule.parameter]]
name = "ids"
default = ["debian"]
about = "Which."
)");
    auto profile = parse_profile(R"(recommendation = [
  { number = "1.1", server = 1, rule = "a-rule" },
  { number = "1.2", server = 2, rule = "a-rule", parameters = { ids = ["rhel"] } },
  { number = "1.3", server = 1, topic = "missing" },
  { number = "1.4", server = 1, automated = false, topic = "by hand" },
]
[profile]
id = "p"
title = "P"
version = "1"
os_id = "debian"
os_version = "12"
)",
                                 "p.toml");
    return link_library(some.take(), {profile.take()}).take();
}

host::MemoryHost debian()
{
    host::MemoryHost host;
    host.file("/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME='D 12'\n");
    return host;
}

std::vector<std::string> verdicts(const Report& report)
{
    std::vector<std::string> out;
    for (const auto& finding : report.findings) {
        out.emplace_back(finding.recommendation->number + " " + verdict_name(finding.outcome.verdict));
    }
    return out;
}

TEST(Run, EveryRecommendationHasAVerdict)
{
    const auto lib = library();
    const auto host = debian();
    Facts facts(host, 0);
    const auto report = run_profile(lib.profiles[0], lib, {}, {}, facts);
    EXPECT_THAT(verdicts(report), ElementsAre("1.1 pass", "1.2 fail", "1.3 cannot-tell", "1.4 manual"));
    EXPECT_EQ(report.subject.os, "D 12");
    EXPECT_DOUBLE_EQ(report.score().value(), 50);
    EXPECT_EQ(report.findings[1].outcome.evidence[0].found, "debian");
}

TEST(Run, LevelAndGlobsChoose)
{
    const auto lib = library();
    const auto host = debian();
    Facts facts(host, 0);
    EXPECT_EQ(run_profile(lib.profiles[0], lib, {}, {.level = 1, .is_workstation = false, .rules = {}}, facts)
                  .findings.size(),
              3U);
    EXPECT_EQ(run_profile(lib.profiles[0], lib, {}, {.level = 2, .is_workstation = false, .rules = {"a-*"}}, facts)
                  .findings.size(),
              2U);
    EXPECT_EQ(run_profile(lib.profiles[0], lib, {}, {.level = 2, .is_workstation = false, .rules = {"1.4"}}, facts)
                  .findings.size(),
              1U);
}

TEST(Run, WithoutOsReleaseNothingIsFine)
{
    const auto lib = library();
    const host::MemoryHost host;
    Facts facts(host, 0);
    const auto report = run_profile(lib.profiles[0], lib, {}, {}, facts);
    EXPECT_EQ(report.count(Verdict::Pass), 0U);
    EXPECT_EQ(report.findings[0].outcome.verdict, Verdict::CannotTell);
    EXPECT_FALSE(report.score().has_value());
}

TEST(Run, NamesOfAHostAreShort)
{
    const auto lib = library();
    host::MemoryHost host;
    host.image();
    host.file("/etc/hostname", "# ours\nweb-1\nsecond\n")
        .file("/etc/os-release", "PRETTY_NAME=" + std::string(5000, 'x') + "\n");
    Facts facts(host, 0);
    const auto report = run_profile(lib.profiles[0], lib, {}, {}, facts);
    EXPECT_EQ(report.subject.host_name, "web-1");
    EXPECT_EQ(report.subject.os.size(), 256U);
    host.file("/etc/hostname", std::string(100'000, 'h'));
    Facts long_name(host, 0);
    EXPECT_EQ(run_profile(lib.profiles[0], lib, {}, {}, long_name).subject.host_name, std::string(64, 'h'));
}

TEST(Link, ProfilesAreCheckedAgainstRules)
{
    auto profile = parse_profile(R"(recommendation = [
  { number = "1", server = 1, rule = "none" },
]
[profile]
id = "p"
title = "P"
version = "1"
)",
                                 "p.toml");
    EXPECT_THAT(link_library({}, {profile.take()}).error().text,
                HasSubstr("p.toml:2: recommendation 1 names the rule"));
}

TEST(Tailoring, SettingsAndWaivers)
{
    const auto lib = library();
    auto tailoring = parse_tailoring(R"([[set]]
rule = "a-rule"
parameter = "ids"
value = ["debian", "rhel"]
[[waiver]]
rule = "gone"
reason = "because"
owner = "me"
expires = "2026-02-28"
)",
                                     "t.toml", lib);
    ASSERT_TRUE(tailoring.ok()) << tailoring.error().text;
    const auto host = debian();
    Facts facts(host, 0);
    const auto report = run_profile(lib.profiles[0], lib, tailoring.value(), {}, facts);
    EXPECT_EQ(report.findings[1].outcome.verdict, Verdict::Pass);
    ASSERT_EQ(report.orphan_waivers.size(), 1U);
    EXPECT_TRUE(add_setting("a-rule.ids=x,y", lib, tailoring.value()).ok());
    EXPECT_THAT(add_setting("a-rule.no=x", lib, tailoring.value()).error().text, HasSubstr("has no parameter"));
    EXPECT_THAT(add_setting("b.no=x", lib, tailoring.value()).error().text, HasSubstr("there is no rule"));
}

TEST(Tailoring, AnExpiredWaiverCoversNothing)
{
    const auto lib = library();
    const std::string text = "[[waiver]]\nrule = \"a-rule\"\nreason = \"r\"\nowner = \"o\"\nexpires = \"1970-01-02\"\n";
    const auto tailoring = parse_tailoring(text, "t.toml", lib);
    const auto host = debian();
    constexpr std::int64_t kDay = 86400;
    Facts before(host, 2 * kDay - 1);
    Facts after(host, 2 * kDay);
    const auto held = run_profile(lib.profiles[0], lib, tailoring.value(), {}, before);
    const auto expired = run_profile(lib.profiles[0], lib, tailoring.value(), {}, after);
    EXPECT_EQ(held.findings[1].outcome.verdict, Verdict::Fail) << "a waiver keeps the verdict";
    EXPECT_EQ(held.open_failures(), 0U);
    EXPECT_EQ(expired.open_failures(), 1U);
    EXPECT_EQ(expired.findings[1].waiver->state, WaiverState::Expired);
    EXPECT_FALSE(is_failed(held, parse_fail_on("fail").value()));
    EXPECT_TRUE(is_failed(expired, parse_fail_on("high").value()));
    EXPECT_FALSE(is_failed(expired, parse_fail_on("critical").value()));
    EXPECT_FALSE(is_failed(expired, parse_fail_on("level1").value()));
    EXPECT_TRUE(is_failed(expired, parse_fail_on("cannot-tell").value()));
    EXPECT_FALSE(is_failed(expired, parse_fail_on("never").value()));
    EXPECT_TRUE(parse_fail_on("new,high").ok());
    EXPECT_FALSE(parse_fail_on("sometimes").ok());
}

TEST(EndOfDay, OnlyRealDays)
{
    EXPECT_EQ(end_of_day("1970-01-01"), 86400);
    EXPECT_FALSE(end_of_day("2026-02-29"));
    EXPECT_FALSE(end_of_day("2026-2-9"));
    EXPECT_FALSE(end_of_day(""));
}

TEST(ProfileFor, OsReleaseChooses)
{
    const auto lib = library();
    EXPECT_EQ(profile_for(lib, debian()).value()->id, "p");
    host::MemoryHost other;
    other.file("/usr/lib/os-release", "ID=debian\nVERSION_ID=13\n");
    EXPECT_EQ(profile_for(lib, other).value(), nullptr);
    EXPECT_FALSE(profile_for(lib, host::MemoryHost()).ok());
}

} // namespace
} // namespace hostward::hardening
