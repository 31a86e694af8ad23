// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/events.h"
#include "agent/guard/events_text.h"
#include "agent/guard/events_time.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>

namespace hostward::guard {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::int64_t kWall = 1'795'226'400 * static_cast<std::int64_t>(kSecond); // 2026-11-21T02:00:00Z

/// Kernel text: names leaf first, each with its NUL, the rest zero.
template <std::size_t size> void put(char (&text)[size], const std::vector<std::string>& names)
{
    std::size_t at = 0;
    for (const auto& name : names) {
        std::memcpy(text + at, name.c_str(), name.size() + 1);
        at += name.size() + 1;
    }
}

Flow flow_of(std::uint32_t uid, std::uint64_t count, std::uint64_t first_ns, hw_verdict verdict = HW_DENY)
{
    Flow flow;
    flow.key.who.uid = uid;
    flow.key.verdict = static_cast<std::uint8_t>(verdict);
    flow.key.rule = HW_NO_RULE;
    flow.key.reason = HW_REASON_DEFAULT;
    flow.value.count = count;
    flow.value.first_ns = first_ns;
    flow.value.last_ns = first_ns;
    return flow;
}

Flow described_flow()
{
    Flow flow = flow_of(1000, 3, 2 * kSecond);
    flow.key.who.euid = 0;
    flow.key.who.gid = 100;
    flow.key.who.egid = 101;
    flow.key.who.exe_inode = 77;
    flow.key.who.exe_device = 266338304;
    flow.key.who.exe_generation = 5;
    flow.key.who.cgroup_id = 4711;
    flow.key.who.pid_ns = 11;
    flow.key.who.net_ns = 12;
    flow.key.hook = HW_HOOK_CONNECT4;
    flow.key.protocol = 6;
    flow.key.generation = 9;
    flow.value.last_ns = 3 * kSecond + 456'000'000;
    flow.value.pid = 321;
    put(flow.value.exe, {"curl", "bin", "usr"});
    put(flow.value.cgroup, {"a.service", "system.slice"});
    return flow;
}

Names names()
{
    return {[](std::uint32_t id) { return id == 1000 ? "alice" : ""; },
            [](std::uint32_t id) { return id == 100 ? "users" : ""; },
            [](std::uint32_t rule, std::uint64_t generation) {
                return "rule" + std::to_string(rule) + "@" + std::to_string(generation);
            },
            [](std::uint32_t endpoint, std::uint64_t) { return "endpoint" + std::to_string(endpoint); }};
}

std::string path(const std::string& bytes) { return path_from_text(bytes.data(), bytes.size()); }

TEST(PathFromText, TurnsLeafFirstNamesAround)
{
    using namespace std::string_literals;
    EXPECT_EQ(path(""), "");
    EXPECT_EQ(path("\0\0\0"s), "");
    EXPECT_EQ(path("x\0bin\0usr\0\0\0\0"s), "/usr/bin/x");
    EXPECT_EQ(path("init\0\0"s), "/init");
}

TEST(PathFromText, StopsAtTheFirstEmptyName)
{
    using namespace std::string_literals;
    EXPECT_EQ(path("x\0bin\0\0left\0over\0\0"s), "/bin/x");
}

TEST(PathFromText, MarksWhatWasCut)
{
    using namespace std::string_literals;
    // The last name has no NUL, or nothing follows it: whether there was more is unknown.
    EXPECT_EQ(path("x\0bin\0us"s), ".../bin/x");
    EXPECT_EQ(path("x\0bin\0usr\0"s), ".../bin/x");
    EXPECT_EQ(path(std::string(256, 'n')), ".../" + std::string(256, 'n'));
}

TEST(UnitOf, IsTheFirstThatIsNoSlice)
{
    EXPECT_EQ(unit_of("/system.slice/a.service"), "a.service");
    EXPECT_EQ(unit_of("/system.slice/a.service/sub"), "a.service");
    EXPECT_EQ(unit_of("/user.slice/user-1000.slice/session-2.scope"), "session-2.scope");
    EXPECT_EQ(unit_of("/user.slice/user-1000.slice/user@1000.service/app.slice/fake.service"), "user@1000.service");
    EXPECT_EQ(unit_of("/system.slice/_cpu.service"), "cpu.service"); // as systemd names its cgroup
    EXPECT_EQ(unit_of("/docker/0123/a.service"), "");                // below something that is no slice: anybody's name
    EXPECT_EQ(unit_of("/system.slice"), "");
    EXPECT_EQ(unit_of("/.service"), "");
    EXPECT_EQ(unit_of("/"), "");
    EXPECT_EQ(unit_of(".../a.service"), ""); // cut: the ancestors are unknown
}

TEST(Rfc3339, IsUtcWithMilliseconds)
{
    EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(rfc3339(kWall + 7'999'999), "2026-11-21T02:00:00.007Z");
    EXPECT_EQ(rfc3339(-1), "1969-12-31T23:59:59.999Z");
}

TEST(EventLine, HasEveryFieldInOrder)
{
    EXPECT_EQ(
        event_line(described_flow(), names(), kWall),
        R"({"time":"2026-11-21T02:00:03.456Z","first":"2026-11-21T02:00:02.000Z","last":"2026-11-21T02:00:03.456Z",)"
        R"("count":3,"decision":"deny","reason":"default","rule":null,"endpoint":"endpoint0","hook":"connect4",)"
        R"("protocol":"tcp","imds_version":null,"uid":1000,"euid":0,"gid":100,"egid":101,"user":"alice","group":"users",)"
        R"("exe":"/usr/bin/curl","exe_device":266338304,"exe_inode":77,"exe_generation":5,"exe_untrusted":false,)"
        R"("cgroup":"/system.slice/a.service","cgroup_id":4711,"unit":"a.service","pid":321,"pid_ns":11,"net_ns":12,)"
        R"("container":false,"container_runtime":null,"container_id":null,"pod_uid":null,"generation":9})");
}

TEST(EventLine, NamesTheContainerThatThePathNames)
{
    constexpr auto kId = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    Flow flow = described_flow();
    flow.key.who.flags = HW_ID_CONTAINER;
    std::memset(flow.value.cgroup, 0, sizeof(flow.value.cgroup));
    put(flow.value.cgroup,
        {std::string("cri-containerd-") + kId + ".scope", "kubepods-pod1_2.slice", "kubepods.slice"});
    const std::string line = event_line(flow, names(), kWall);
    EXPECT_NE(line.find(std::string(R"("container":true,"container_runtime":"containerd","container_id":")") + kId +
                        R"(","pod_uid":"1-2")"),
              std::string::npos)
        << line;
    flow.key.who.flags |= HW_ID_CGROUP_DEPTH; // the path is cut: its top is not the top
    EXPECT_NE(event_line(flow, names(), kWall).find(R"("container_id":null,"pod_uid":null)"), std::string::npos);
}

TEST(EventLine, SaysWhatARequestSpeaks)
{
    Flow flow = described_flow();
    flow.key.verdict = HW_ALLOW;
    flow.key.hook = HW_HOOK_REQUEST;
    for (const auto& [imds, text] : {std::pair{HW_IMDS_V1, R"("1")"}, std::pair{HW_IMDS_V2, R"("2")"},
                                     std::pair{HW_IMDS_UNKNOWN, R"("unknown")"}}) {
        flow.key.imds = static_cast<std::uint8_t>(imds);
        const std::string line = event_line(flow, names(), kWall);
        EXPECT_NE(line.find(std::string(R"("hook":"request","protocol":"tcp","imds_version":)") + text),
                  std::string::npos)
            << line;
    }
}

TEST(EventLine, NamesTheRuleOfItsGeneration)
{
    Flow flow = described_flow();
    flow.key.rule = 4;
    flow.key.verdict = HW_ALLOW;
    const std::string line = event_line(flow, names(), kWall);
    EXPECT_NE(line.find(R"("decision":"allow")"), std::string::npos) << line;
    EXPECT_NE(line.find(R"("rule":"rule4@9")"), std::string::npos) << line;
}

TEST(EventLine, SaysWhatAuditModeLetPass)
{
    Flow flow = described_flow();
    flow.key.mode = HW_AUDIT;
    EXPECT_NE(event_line(flow, names(), kWall).find(R"("decision":"would-deny")"), std::string::npos);
    flow.key.verdict = HW_ALLOW;
    EXPECT_NE(event_line(flow, names(), kWall).find(R"("decision":"allow")"), std::string::npos);
}

TEST(EventLine, KnowsOnlyTheSocketOfAPacket)
{
    Flow flow = flow_of(1000, 1, 0);
    flow.key.who.flags = HW_ID_SOCKET_ONLY;
    flow.key.who.cgroup_id = 8;
    flow.key.reason = HW_REASON_UNTAGGED;
    flow.key.hook = HW_HOOK_EGRESS;
    const std::string line = event_line(flow, names(), kWall);
    EXPECT_NE(line.find(R"("reason":"untagged")"), std::string::npos) << line;
    EXPECT_NE(
        line.find(R"("protocol":null,"imds_version":null,"uid":1000,"euid":null,"gid":null,"egid":null,"user":"alice",)"
                  R"("group":null,"exe":null,"exe_device":null,"exe_inode":null,"exe_generation":null,)"
                  R"("exe_untrusted":null,"cgroup":null,"cgroup_id":8,"unit":null,"pid":null,"pid_ns":null,)"
                  R"("net_ns":null,"container":null,"container_runtime":null,"container_id":null,"pod_uid":null)"),
        std::string::npos)
        << line;
    flow.key.reason = HW_REASON_FORWARDED; // no socket: the uid that the kernel fills in is nobody's
    EXPECT_NE(event_line(flow, names(), kWall).find(R"("uid":null)"), std::string::npos);
}

TEST(EventLine, StaysOneValidLineWhateverAFileIsCalled)
{
    Flow flow = described_flow();
    put(flow.value.exe, {"a\n\"b\\\xff\x1b[31m\xe2\x80\xae", "bin"});
    const std::string line = event_line(flow, {}, kWall);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
    // Escaped once as text, once more as JSON.
    EXPECT_NE(line.find(R"("exe":"/bin/a\\x0a\\\"b\\\\\\xff\\x1b[31m\\xe2\\x80\\xae")"), std::string::npos) << line;
    EXPECT_NE(line.find(R"("user":null)"), std::string::npos) << "no names: null";
}

TEST(EventLine, ShowsTheGuardedCgroupItselfAsRoot)
{
    Flow flow = described_flow();
    std::memset(flow.value.cgroup, 0, sizeof(flow.value.cgroup));
    EXPECT_NE(event_line(flow, {}, kWall).find(R"("cgroup":"/",)"), std::string::npos);
}

TEST(Reporter, PrintsTheFirstAtOnceAndMergesTheNext)
{
    Reporter reporter;
    const std::uint64_t start = 100 * kSecond;
    auto lines = reporter.take({flow_of(1, 2, start)}, start);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0].value.count, 2U);
    EXPECT_TRUE(reporter.take({flow_of(1, 3, start + kSecond)}, start + kSecond).empty());
    EXPECT_TRUE(reporter.take({flow_of(1, 4, start + 5 * kSecond)}, start + 9 * kSecond).empty());
    lines = reporter.take({}, start + 10 * kSecond);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0].value.count, 7U);
    EXPECT_EQ(lines[0].value.first_ns, start + kSecond);
    EXPECT_EQ(lines[0].value.last_ns, start + 5 * kSecond);
    EXPECT_TRUE(reporter.take({}, start + 1000 * kSecond).empty()) << "nothing new, no line";
}

TEST(Reporter, RepeatsAllowedLessOften)
{
    Reporter reporter;
    const std::uint64_t start = 100 * kSecond;
    EXPECT_EQ(reporter.take({flow_of(1, 1, start, HW_ALLOW)}, start).size(), 1U);
    EXPECT_TRUE(reporter.take({flow_of(1, 1, start, HW_ALLOW)}, start + 299 * kSecond).empty());
    EXPECT_EQ(reporter.take({}, start + 300 * kSecond).size(), 1U);
}

TEST(Reporter, KeepsWhatDoesNotFitForTheNextCall)
{
    Reporter reporter;
    std::vector<Flow> batch;
    for (std::uint32_t uid = 0; uid < 2 * Reporter::kLinesPerBatch + 1; ++uid) {
        batch.push_back(flow_of(uid, 1, kSecond + uid));
    }
    const auto first = reporter.take(batch, 2 * kSecond);
    ASSERT_EQ(first.size(), Reporter::kLinesPerBatch);
    EXPECT_EQ(first.front().key.who.uid, 0U) << "who waits longest comes first";
    EXPECT_EQ(reporter.take({}, 3 * kSecond).size(), Reporter::kLinesPerBatch);
    EXPECT_EQ(reporter.take({}, 4 * kSecond).size(), 1U);
    EXPECT_EQ(reporter.suppressed(), 0U) << "everybody got a line";
}

TEST(Reporter, FlushesTheRest)
{
    Reporter reporter;
    (void)reporter.take({flow_of(1, 1, kSecond)}, kSecond);
    (void)reporter.take({flow_of(1, 5, kSecond)}, kSecond);
    const auto rest = reporter.flush();
    ASSERT_EQ(rest.size(), 1U);
    EXPECT_EQ(rest[0].value.count, 5U);
    EXPECT_TRUE(reporter.flush().empty());
}

TEST(Reporter, NeverLosesACountInAFlood)
{
    std::mt19937 random(7);
    std::uniform_int_distribution<std::uint32_t> uid(0, 3 * Reporter::kIdentitiesMax);
    std::uniform_int_distribution<std::uint64_t> count(1, 1000);
    Reporter reporter;
    std::uint64_t given = 0;
    std::uint64_t told = 0;
    std::uint64_t summed_up = 0;
    for (std::uint64_t second = 1; second <= 5; ++second) {
        std::map<std::uint32_t, Flow> batch; // as the kernel's table: each identity once
        for (std::size_t i = 0; i < HW_FLOWS_MAX; ++i) {
            const Flow flow = flow_of(uid(random), count(random), second * kSecond);
            batch.insert_or_assign(flow.key.who.uid, flow);
        }
        std::vector<Flow> flows;
        for (const auto& [id, flow] : batch) {
            given += flow.value.count;
            flows.push_back(flow);
        }
        const auto lines = reporter.take(flows, second * kSecond);
        EXPECT_LE(lines.size(), Reporter::kLinesPerBatch);
        for (const auto& line : lines) {
            told += line.value.count;
        }
        summed_up += reporter.suppressed();
    }
    const auto rest = reporter.flush();
    EXPECT_LE(rest.size(), Reporter::kIdentitiesMax);
    for (const auto& line : rest) {
        told += line.value.count;
    }
    EXPECT_GT(summed_up, 0U) << "the flood must be larger than the memory, or this proves nothing";
    EXPECT_EQ(told + summed_up, given);
}

} // namespace
} // namespace hostward::guard
