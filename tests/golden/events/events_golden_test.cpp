// SPDX-License-Identifier: Apache-2.0
// Event lines of every kind of caller. expected.jsonl holds them, schema_test.py holds it to the published schema;
// expected.journal has the same as entries of the journal.
// golden_events --update-golden writes the expectations anew; look at the difference before you commit it.
#include "agent/guard/events.h"
#include "agent/guard/events_journal.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace hostward::guard {

bool update_golden = false; // set by main() from the arguments

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::int64_t kWall = 1'795'226'400 * static_cast<std::int64_t>(kSecond); // 2026-11-21T02:00:00Z
const std::string kId(64, 'e');

/// Kernel text: names leaf first, each with its NUL, the rest zero.
template <std::size_t size> void put(char (&text)[size], const std::vector<std::string>& names)
{
    std::memset(text, 0, size);
    std::size_t at = 0;
    for (const auto& name : names) {
        std::memcpy(text + at, name.c_str(), name.size() + 1);
        at += name.size() + 1;
    }
}

Flow host_process()
{
    Flow flow;
    flow.key.who = {1000, 1000, 100, 100, 77, 266338304, 5, 4711, 4026531836, 4026531840, 4026531837, 0};
    flow.key.verdict = HW_DENY;
    flow.key.rule = HW_NO_RULE;
    flow.key.reason = HW_REASON_DEFAULT;
    flow.key.hook = HW_HOOK_CONNECT4;
    flow.key.protocol = 6;
    flow.key.generation = 9;
    flow.value.count = 3;
    flow.value.first_ns = 2 * kSecond;
    flow.value.last_ns = 3 * kSecond + 456'000'000;
    flow.value.pid = 321;
    put(flow.value.exe, {"curl", "bin", "usr"});
    put(flow.value.cgroup, {"a.service", "system.slice"});
    return flow;
}

Flow request_without_token()
{
    Flow flow = host_process();
    flow.key.verdict = HW_ALLOW;
    flow.key.rule = 4;
    flow.key.reason = HW_REASON_RULE;
    flow.key.hook = HW_HOOK_REQUEST;
    flow.key.imds = HW_IMDS_V1;
    return flow;
}

Flow allowed_by_rule()
{
    Flow flow = host_process();
    flow.key.verdict = HW_ALLOW;
    flow.key.rule = 4;
    flow.key.reason = HW_REASON_RULE;
    flow.key.hook = HW_HOOK_SENDMSG6;
    flow.key.protocol = 17;
    return flow;
}

Flow in_audit_mode()
{
    Flow flow = host_process();
    flow.key.mode = HW_AUDIT;
    return flow;
}

Flow of_a_packet(hw_reason reason, hw_hook hook)
{
    Flow flow = host_process();
    flow.key.who = {};
    flow.key.who.uid = 1000;
    flow.key.who.cgroup_id = 4711;
    flow.key.who.flags = HW_ID_SOCKET_ONLY;
    flow.key.reason = static_cast<std::uint8_t>(reason);
    flow.key.hook = static_cast<std::uint8_t>(hook);
    flow.key.protocol = 0;
    put(flow.value.exe, {});
    put(flow.value.cgroup, {});
    return flow;
}

Flow forwarded()
{
    Flow flow = of_a_packet(HW_REASON_FORWARDED, HW_HOOK_TC);
    flow.key.who.cgroup_id = 0;
    return flow;
}

Flow kernel_thread()
{
    Flow flow = host_process();
    flow.key.who.flags = HW_ID_KERNEL_THREAD | HW_ID_NO_EXE;
    flow.key.reason = HW_REASON_KERNEL_THREAD;
    put(flow.value.exe, {});
    put(flow.value.cgroup, {});
    return flow;
}

Flow in_a_pod()
{
    Flow flow = host_process();
    flow.key.who.flags = HW_ID_CONTAINER | HW_ID_EXE_UNTRUSTED;
    put(flow.value.cgroup, {"cri-containerd-" + kId + ".scope", "kubepods-burstable-pod0a1b_2c3d.slice",
                            "kubepods-burstable.slice", "kubepods.slice"});
    return flow;
}

Flow too_deep()
{
    Flow flow = host_process();
    flow.key.who.flags = HW_ID_CGROUP_DEPTH;
    flow.key.reason = HW_REASON_CGROUP_DEPTH;
    return flow;
}

Flow hostile_names()
{
    Flow flow = host_process();
    put(flow.value.exe, {"a\n\"b\\\xff\x1b[31m", "bin"});
    put(flow.value.cgroup, {"{}\t.scope", "user.slice"});
    return flow;
}

std::vector<std::string> lines()
{
    const Names names{[](std::uint32_t) { return "alice"; }, [](std::uint32_t) { return ""; },
                      [](std::uint32_t, std::uint64_t) { return "ssm-agent"; },
                      [](std::uint32_t, std::uint64_t) { return "imds"; }};
    std::vector<std::string> out;
    for (const auto& flow : {host_process(), allowed_by_rule(), request_without_token(), in_audit_mode(),
                             of_a_packet(HW_REASON_UNTAGGED, HW_HOOK_EGRESS), forwarded(), kernel_thread(), in_a_pod(),
                             too_deep(), hostile_names()}) {
        out.push_back(event_line(flow, names, kWall));
    }
    return out;
}

void expect_as_in(const std::string& name, const std::string& text)
{
    const std::string path = std::string(HOSTWARD_GOLDEN_DIR) + "/" + name;
    if (update_golden) {
        std::ofstream(path) << text;
    }
    std::ostringstream expected;
    expected << std::ifstream(path).rdbuf();
    EXPECT_EQ(text, expected.str());
}

TEST(EventsGolden, LinesAreAsExpected)
{
    std::string text;
    for (const auto& line : lines()) {
        text += line + "\n";
    }
    expect_as_in("expected.jsonl", text);
}

TEST(EventsGolden, EntriesOfTheJournalAreAsExpected)
{
    std::string text;
    for (const auto& line : lines()) {
        text += journal_entry(line) + "\n";
    }
    expect_as_in("expected.journal", text);
}

} // namespace
} // namespace hostward::guard

int main(int argc, char** argv)
{
    testing::InitGoogleTest(&argc, argv);
    hostward::guard::update_golden = argc == 2 && std::string_view(argv[1]) == "--update-golden";
    return RUN_ALL_TESTS();
}
