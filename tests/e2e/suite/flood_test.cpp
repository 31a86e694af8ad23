// SPDX-License-Identifier: Apache-2.0
// A flood of denials: the counters stay exact, the agent's memory and what it writes stay bounded.
#include "tests/e2e/suite/tally.h"
#include "tests/e2e/support/rows.h"

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>
#include <vector>

namespace hostward::e2e {
namespace {

constexpr std::uint64_t kGrowthMaxKib = 8ULL * 1024; ///< of the agent's resident memory
constexpr std::uint64_t kLinesMax = 400;             ///< of events, for the whole flood
constexpr uid_t kFirstUser = 2000;
constexpr uid_t kUsers = 48;
constexpr useconds_t kDrainPauseUs = 2'000'000; ///< the agent takes what the kernel gathered once a second
constexpr auto kEndTimeout = Milliseconds(60'000);

std::uint64_t resident_kib(pid_t pid)
{
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    std::string word;
    std::uint64_t value = 0;
    while (file >> word) {
        if (word == "VmRSS:") {
            file >> value;
        }
    }
    return value;
}

/// Lines of denials and the sum of what they count.
struct Events {
    std::uint64_t lines = 0;
    std::uint64_t denied = 0;
};

Events read_events(const std::string& path)
{
    Events events;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        const auto entry = nlohmann::json::parse(line, nullptr, false);
        EXPECT_TRUE(entry.is_object()) << line;
        ++events.lines;
        if (entry.is_object() && entry.value("decision", "") == "deny") {
            events.denied += entry.value("count", std::uint64_t{0});
        }
    }
    return events;
}

std::uint64_t denied_in(const GuardStatus& status)
{
    std::uint64_t sum = 0;
    for (const auto* list : {&status.rules, &status.endpoints}) {
        for (const auto& [name, counts] : *list) {
            sum += counts.denied;
        }
    }
    return sum;
}

class Flood : public AttackTest {
protected:
    /// Denied datagrams by one user.
    static Launch by(uid_t uid, const std::string& count, const std::string& threads)
    {
        Launch launch = site().attack({"hammer", "udp", kImds4, count, threads});
        launch.who = user(uid);
        launch.timeout = Milliseconds(120'000);
        return launch;
    }

    static std::uint64_t denied_by_one(std::uint64_t& rate)
    {
        const std::string count = std::to_string(surroundings().scaled(200'000, 5'000));
        const auto outcome = run(by(kNobody, count, "2"));
        EXPECT_TRUE(outcome) << outcome.error().text;
        const auto tally = tally_of(*outcome);
        EXPECT_TRUE(tally) << tally.error().text;
        EXPECT_EQ(tally->allowed + tally->other, 0U) << tally->text;
        rate = tally->per_second();
        return tally->denied;
    }

    static std::uint64_t denied_by_many()
    {
        const std::string count = std::to_string(surroundings().scaled(2'000, 100));
        std::vector<Child> children;
        for (uid_t uid = kFirstUser; uid < kFirstUser + kUsers; ++uid) {
            auto child = Child::start(by(uid, count, "1"));
            EXPECT_TRUE(child) << child.error().text;
            children.push_back(child.take());
        }
        std::uint64_t denied = 0;
        for (Child& child : children) {
            const auto tally = tally_of(child.finish(kEndTimeout));
            EXPECT_TRUE(tally) << tally.error().text;
            denied += tally->denied;
        }
        return denied;
    }
};

TEST_F(Flood, CountersAreExactAndOutputIsBounded)
{
    auto agent = site().guard.start_agent(kOnlyAllowedUnit);
    ASSERT_TRUE(agent) << agent.error().text;
    const auto before = site().guard.status();
    ASSERT_TRUE(before) << before.error().text;
    const std::uint64_t memory_before = resident_kib(agent->pid());
    std::uint64_t rate = 0;
    const std::uint64_t denied = denied_by_one(rate) + denied_by_many();
    const auto after = site().guard.status();
    ASSERT_TRUE(after) << after.error().text;
    const std::uint64_t memory_after = resident_kib(agent->pid());
    EXPECT_EQ(denied_in(*after) - denied_in(*before), denied) << after->text;
    EXPECT_GT(memory_before, 0U);
    EXPECT_LT(memory_after, memory_before + kGrowthMaxKib);

    (void)usleep(kDrainPauseUs);
    agent->signal(SIGTERM);
    const Outcome end = agent->finish(kEndTimeout);
    EXPECT_EQ(end.exit_code, 0) << end.text();
    const Events events = read_events(site().guard.run_dir() + "/events.jsonl");
    EXPECT_GT(events.lines, 0U);
    EXPECT_LT(events.lines, kLinesMax);
    EXPECT_EQ(events.denied, denied) << "the lines' counts must add up, however few lines there are; " << after->text
                                     << end.err;
    std::printf("%llu denials, %llu/s by one client, %llu event lines, agent %llu -> %llu KiB\n",
                static_cast<unsigned long long>(denied), static_cast<unsigned long long>(rate),
                static_cast<unsigned long long>(events.lines), static_cast<unsigned long long>(memory_before),
                static_cast<unsigned long long>(memory_after));
}

TEST_F(Flood, CountersAreExactWithoutAnAgent)
{
    ASSERT_TRUE(site().guard.load(kOnlyAllowedUnit));
    const auto before = site().guard.status();
    ASSERT_TRUE(before) << before.error().text;
    std::uint64_t rate = 0;
    const std::uint64_t denied = denied_by_one(rate);
    const auto after = site().guard.status();
    ASSERT_TRUE(after) << after.error().text;
    EXPECT_EQ(denied_in(*after) - denied_in(*before), denied) << after->text;
    std::printf("%llu denials, %llu/s\n", static_cast<unsigned long long>(denied),
                static_cast<unsigned long long>(rate));
}

} // namespace
} // namespace hostward::e2e
