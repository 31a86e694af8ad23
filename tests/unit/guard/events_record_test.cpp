// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/events_record.h"

#include "agent/base/text.h"
#include "agent/guard/events.h"
#include "agent/guard/events_filter.h"
#include "agent/guard/events_time.h"

#include <gtest/gtest.h>

#include <random>
#include <string_view>

namespace hostward::guard {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kTwoOClock = 1'795'226'400 * kSecond; ///< 2026-11-21T02:00:00Z

Flow flow_of(const std::string& exe)
{
    Flow flow;
    flow.key.who.uid = 1000;
    flow.key.who.euid = 0;
    flow.key.who.gid = 100;
    flow.key.who.exe_inode = 0xffff'ffff'ffff'ffff;
    flow.key.who.exe_device = 7;
    flow.key.who.exe_generation = 9;
    flow.key.who.flags = HW_ID_CONTAINER;
    flow.key.rule = HW_NO_RULE;
    flow.key.verdict = HW_DENY;
    flow.key.mode = HW_AUDIT;
    flow.key.reason = HW_REASON_DEFAULT;
    flow.value.count = 5;
    flow.value.first_ns = 1;
    flow.value.last_ns = 2'000'000'000;
    flow.value.pid = 321;
    exe.copy(static_cast<char*>(flow.value.exe), HW_TEXT_MAX - 1);
    std::string_view("a.service").copy(static_cast<char*>(flow.value.cgroup), HW_TEXT_MAX - 1);
    return flow;
}

Names names()
{
    return {[](std::uint32_t) { return "al\nice"; },
            [](std::uint32_t) { return ""; },
            {},
            [](std::uint32_t, std::uint64_t) { return "imds"; }};
}

TEST(EventRecordTest, IsWhatTheWriterWrote)
{
    const auto event = parse_event(event_line(flow_of("x\"\\\n\xff*"), names(), kTwoOClock));
    ASSERT_TRUE(event);
    EXPECT_EQ(event->outcome, Outcome::WouldDeny);
    EXPECT_EQ(event->count, 5U);
    EXPECT_EQ(event->first_ns, kTwoOClock);
    EXPECT_EQ(event->last_ns, kTwoOClock + 2 * kSecond);
    EXPECT_EQ(event->reason, "default");
    EXPECT_EQ(event->endpoint, "imds");
    EXPECT_EQ(event->rule, "");
    EXPECT_EQ(event->uid, 1000U);
    EXPECT_EQ(event->euid, 0U);
    EXPECT_EQ(event->gid, 100U);
    EXPECT_EQ(event->user, "al\nice");
    EXPECT_EQ(event->exe, "/x\"\\\n\xff*");
    ASSERT_TRUE(event->exe_fact);
    EXPECT_EQ(event->exe_fact->inode, 0xffff'ffff'ffff'ffffU);
    EXPECT_EQ(event->exe_fact->device, 7U);
    EXPECT_EQ(event->exe_fact->generation, 9U);
    EXPECT_FALSE(event->exe_untrusted);
    EXPECT_EQ(event->cgroup, "/a.service");
    EXPECT_EQ(event->unit, "a.service");
    EXPECT_EQ(event->pid, 321);
    EXPECT_TRUE(event->container);
    EXPECT_TRUE(event->container_known && event->exe_trust_known);
    EXPECT_EQ(user_text(*event), "al\nice (uid 1000) as uid 0");
}

TEST(EventRecordTest, APacketHasNoCaller)
{
    Flow flow = flow_of("");
    flow.key.who.flags = HW_ID_SOCKET_ONLY;
    flow.key.reason = HW_REASON_UNTAGGED;
    const auto event = parse_event(event_line(flow, names(), 0));
    ASSERT_TRUE(event);
    EXPECT_EQ(event->uid, 1000U);
    EXPECT_FALSE(event->euid);
    EXPECT_FALSE(event->exe_fact);
    EXPECT_EQ(event->cgroup, "");
    EXPECT_FALSE(event->container_known);
    EXPECT_FALSE(event->exe_trust_known);
    EXPECT_EQ(user_text(*event), "al\nice (uid 1000)");
    EXPECT_EQ(caller_of(*event, {}).euid, 0xffffffffU);
}

TEST(EventRecordTest, AnUntrustedProgramIsNone)
{
    Flow flow = flow_of("memfd");
    flow.key.who.flags = HW_ID_EXE_UNTRUSTED;
    auto event = parse_event(event_line(flow, names(), 0));
    ASSERT_TRUE(event);
    EXPECT_TRUE(event->exe_untrusted);
    EXPECT_FALSE(caller_of(*event, {}).exe);
}

constexpr const char* kMinimal =
    R"({"decision":"deny","count":1,"time":"2026-11-21T02:00:00.000Z","first":"2026-11-21T02:00:00.000Z")";

TEST(EventRecordTest, LeavesOutWhatItDoesNotKnow)
{
    const auto event = parse_event(std::string(kMinimal) + R"(,"new_field":[{}],"exe_inode":1,"exe_device":2,)"
                                                           R"("exe_generation":3,"imds_version":1})");
    ASSERT_TRUE(event);
    EXPECT_TRUE(event->exe_untrusted) << "a program of which nobody says whether it is trusted";
    EXPECT_FALSE(event->exe_trust_known);
    EXPECT_EQ(user_text(*event), "");
    EXPECT_EQ(event->imds_version, "1");
    EXPECT_EQ(parse_event(std::string(kMinimal) + R"(,"imds_version":"2"})")->imds_version, "2");
    EXPECT_EQ(parse_event(std::string(kMinimal) + R"(,"imds_version":null})")->imds_version, "");
    EXPECT_EQ(parse_event(std::string(kMinimal) + R"(,"uid":4294967296})")->uid, std::nullopt);
    EXPECT_EQ(parse_event(std::string(kMinimal) + R"(,"uid":-1})")->uid, std::nullopt);
    EXPECT_EQ(parse_event(std::string(kMinimal) + R"(,"exe":"/a\\q"})")->exe, "");
}

TEST(EventFilterTest, EveryConditionCounts)
{
    const auto event = parse_event(event_line(flow_of("curl"), names(), kTwoOClock));
    ASSERT_TRUE(event);
    const auto with = [&](auto change) {
        EventFilter filter;
        change(filter);
        EXPECT_FALSE(filter.takes_all());
        return filter.matches(*event);
    };
    EXPECT_TRUE(EventFilter{}.takes_all());
    EXPECT_TRUE(EventFilter{}.matches(*event));
    EXPECT_TRUE(with([](auto& f) { f.user = "al\nice"; }));
    EXPECT_TRUE(with([](auto& f) { f.user = "1000"; }));
    EXPECT_TRUE(with([](auto& f) { f.user = "0"; })) << "the effective one";
    EXPECT_FALSE(with([](auto& f) { f.user = "100"; }));
    EXPECT_TRUE(with([](auto& f) { f.exe = "/curl"; }));
    EXPECT_FALSE(with([](auto& f) { f.exe = "curl"; }));
    EXPECT_TRUE(with([](auto& f) { f.unit = "a.service"; }));
    EXPECT_FALSE(with([](auto& f) { f.unit = "b.service"; }));
    EXPECT_FALSE(with([](auto& f) { f.rule = "x"; })) << "no rule decided";
    EXPECT_TRUE(with([](auto& f) { f.decision = "would-deny"; }));
    EXPECT_FALSE(with([](auto& f) { f.decision = "deny"; }));
    EXPECT_TRUE(with([](auto& f) { f.container = true; }));
    EXPECT_TRUE(with([](auto& f) { f.since_ns = kTwoOClock + 2 * kSecond; }));
    EXPECT_FALSE(with([](auto& f) { f.since_ns = kTwoOClock + 2 * kSecond + 1; }));
    EXPECT_FALSE(with([](auto& f) {
        f.user = "1000";
        f.unit = "b.service";
    }));
}

TEST(EventRecordTest, RefusesForeignLines)
{
    for (const std::string line :
         {"", "{", "[]", "null", "{}", R"({"decision":"deny"})", R"({"decision":"permit","count":1})"}) {
        EXPECT_FALSE(parse_event(line)) << line;
    }
    EXPECT_FALSE(parse_event(R"({"decision":"deny","count":0,"time":"2026-11-21","first":"2026-11-21"})"));
    EXPECT_FALSE(parse_event(R"({"decision":"deny","count":1,"time":"yesterday","first":"2026-11-21"})"));
    EXPECT_TRUE(parse_event(R"({"decision":"deny","count":1,"time":"2026-11-21","first":"2026-11-21"})"));
}

TEST(Unescape, UndoesEscape)
{
    std::mt19937 random(7); // NOLINT: the same bytes each time
    for (int i = 0; i < 2000; ++i) {
        std::string raw(random() % 12, ' ');
        for (auto& c : raw) {
            c = random() % 3 == 0 ? "\\\"x\n\xc3\xa4"[random() % 6] : static_cast<char>(random());
        }
        ASSERT_EQ(unescape(escape(raw)), raw);
    }
}

TEST(Unescape, RefusesWhatEscapeNeverWrites)
{
    for (const char* text : {"\\", "\\n", "\\x", "\\x1", "\\xg0", "a\\", "\\x-1"}) {
        EXPECT_FALSE(unescape(text)) << text;
    }
}

TEST(EventTime, ReadsWhatItWrites)
{
    for (const std::int64_t ns : {std::int64_t{0}, kTwoOClock, kTwoOClock + 7'000'000, 4'102'444'800 * kSecond}) {
        EXPECT_EQ(parse_rfc3339(rfc3339(ns)), ns);
    }
}

TEST(EventTime, TakesWhatPeopleType)
{
    EXPECT_EQ(parse_rfc3339("2026-11-21"), kTwoOClock - 7200 * kSecond);
    EXPECT_EQ(parse_rfc3339("2026-11-21 02:00"), kTwoOClock);
    EXPECT_EQ(parse_rfc3339("2026-11-21T02:00:00"), kTwoOClock);
    EXPECT_EQ(parse_rfc3339("2026-11-21T02:00:00.123456789123Z"), kTwoOClock + 123'456'789);
    EXPECT_EQ(parse_since("30m", kTwoOClock), kTwoOClock - 1800 * kSecond);
    EXPECT_EQ(parse_since("90s", kTwoOClock), kTwoOClock - 90 * kSecond);
    EXPECT_EQ(parse_since("7d", kTwoOClock), kTwoOClock - 604'800 * kSecond);
    EXPECT_EQ(parse_since("1w", kTwoOClock), kTwoOClock - 604'800 * kSecond);
    EXPECT_EQ(parse_since("2026-11-21", 0), kTwoOClock - 7200 * kSecond);
}

TEST(EventTime, IsNotGuessed)
{
    for (const char* text : {"",
                             "now",
                             "2026",
                             "2026-11",
                             "2026-02-31",
                             "2026-13-01",
                             "2026-00-10",
                             "1969-12-31",
                             "9999-01-01",
                             "2026-11-21T",
                             "2026-11-21T2:00",
                             "2026-11-21T24:00",
                             "2026-11-21T02:60",
                             "2026-11-21T02:00:61",
                             "2026-11-21T02:00:00.",
                             "2026-11-21T02:00:00ZZ",
                             "2026-11-21T02:00:00+01:00",
                             "+026-11-21",
                             "2026-11-21x",
                             "h",
                             "-1h",
                             "1.5h",
                             "1y",
                             "5",
                             "99999999999999999999s",
                             "9000000001s"}) {
        EXPECT_FALSE(parse_since(text, kTwoOClock)) << text;
    }
}

} // namespace
} // namespace hostward::guard
