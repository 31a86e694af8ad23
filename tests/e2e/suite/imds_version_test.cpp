// SPDX-License-Identifier: Apache-2.0
// Who speaks which version of the metadata service's protocol: what the guard says of each process is what the service
// itself wrote down, whatever becomes of the packets.
#include "tests/e2e/support/rows.h"

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hostward::e2e {
namespace {

constexpr auto kPort = "8080"; ///< the far end itself has port 80
constexpr uid_t kFirstUser = 3001;
constexpr auto kTimeout = Milliseconds(120'000);

constexpr auto kCurl = "/usr/bin/curl";

constexpr auto kTalkersAllowed = R"(
[guard]
mode = "enforce"
[[guard.rule]]
name = "talkers"
action = "allow"
user = [3001, 3002, 3003, 3004, 3005, 3006, 3007, 3008]
)";

struct Counts {
    std::uint64_t v1 = 0;
    std::uint64_t v2 = 0;
    std::uint64_t unknown = 0;
    bool operator==(const Counts&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Counts& counts)
{
    return out << "v1=" << counts.v1 << " v2=" << counts.v2 << " unknown=" << counts.unknown;
}

Counts operator+(const Counts& a, const Counts& b) { return {a.v1 + b.v1, a.v2 + b.v2, a.unknown + b.unknown}; }

/// What a process does, and how many of its requests nobody can read.
struct Talker {
    const char* address;
    const char* how;
    std::string script;
    int rounds;
    std::uint64_t unknown = 0;
};

std::string repeated(const std::string& text, int times)
{
    std::string out;
    for (int i = 0; i < times; ++i) {
        out += text;
    }
    return out;
}

std::vector<Talker> talkers()
{
    const int many = surroundings().scaled(150, 40); // more than one packet, larger than any on the wire
    return {
        {kImds4, "whole", "t2222", 3}, {kImds4, "whole", "1111", 3},
        {kImds4, "bytes", "t2121", 2}, {kImds4, "pipeline", "t" + repeated("12", many), 2},
        {kImds6, "whole", "t21", 3},   {kImds6, "pipeline", "t" + repeated("221", many), 1},
        {kImds4, "whole", "c2c1", 3},  {"::ffff:169.254.169.254", "bytes", "t21f", 2, 2},
    };
}

std::string name_of(std::size_t talker) { return "talker" + std::to_string(talker); }

std::vector<nlohmann::json> lines_of(const std::string& path)
{
    std::vector<nlohmann::json> lines;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        lines.push_back(nlohmann::json::parse(line, nullptr, false));
        EXPECT_TRUE(lines.back().is_object()) << line;
    }
    return lines;
}

/// By User-Agent, as the service saw it.
std::map<std::string, Counts> counts_in_log(const std::string& path)
{
    std::map<std::string, Counts> counts;
    for (const auto& line : lines_of(path)) {
        const auto token = line.value("token", "");
        Counts& of = counts[line.value("user_agent", "")];
        of.v1 += token == "v1" ? 1U : 0U;
        of.v2 += token == "v2" || token == "call" ? 1U : 0U;
        EXPECT_TRUE(token == "v1" || token == "v2" || token == "call" || token.empty()) << line;
    }
    return counts;
}

/// By user, out of the events of requests.
std::map<uid_t, Counts> counts_in_events(const std::string& path, const std::string& decision)
{
    std::map<uid_t, Counts> counts;
    for (const auto& line : lines_of(path)) {
        if (line.value("hook", "") != "request") {
            EXPECT_TRUE(line["imds_version"].is_null()) << line;
            continue;
        }
        EXPECT_EQ(line.value("decision", ""), decision) << line;
        EXPECT_NE(line.value("exe", "").find("imds_talk"), std::string::npos) << line;
        EXPECT_EQ(line.value("unit", ""), "session.scope") << line;
        const auto version = line.value("imds_version", "");
        const auto count = line.value("count", std::uint64_t{0});
        Counts& of = counts[line.value("uid", uid_t{0})];
        (version == "1" ? of.v1 : version == "2" ? of.v2 : of.unknown) += count;
    }
    return counts;
}

class ImdsVersion : public AttackTest {
protected:
    void SetUp() override
    {
        AttackTest::SetUp();
        if (HasFatalFailure() || IsSkipped()) {
            return;
        }
        static int sequence = 0;
        log_ = std::string(kRunDir) + "/requests" + std::to_string(++sequence);
        auto started = Child::start(simulator());
        ASSERT_TRUE(started) << started.error().text;
        service_.emplace(started.take());
        const auto ready = service_->await_line("ready", kTimeout);
        ASSERT_TRUE(ready) << ready.error().text;
    }

    void TearDown() override
    {
        service_.reset();
        (void)nft(site().network.far(), "table inet loss\ndelete table inet loss\n"); // there may be none
        AttackTest::TearDown();
    }

    [[nodiscard]] Launch simulator() const
    {
        Launch launch;
        launch.argv = {
            surroundings().attacks + "/../imds_sim", "--port", kPort, "--http-tokens", "optional", "--log", log_};
        launch.network = site().network.far();
        return launch;
    }

    /// Every ninth packet to the service gets lost; the kernel sends it again.
    static Status lose_packets()
    {
        return nft(site().network.far(), "table inet loss {\n chain c {\n  type filter hook input priority 0;\n"
                                         "  tcp dport 8080 tcp flags & syn == 0 numgen inc mod 9 3 drop\n }\n}\n");
    }

    static Launch talk(const Talker& talker, std::size_t index)
    {
        Launch launch = site().attack({"imds_talk", talker.address, kPort, name_of(index), talker.how, talker.script,
                                       std::to_string(talker.rounds)});
        launch.who = user(kFirstUser + static_cast<uid_t>(index));
        return launch;
    }

    /// All at once. How many segments were sent again.
    static std::uint64_t talk_all(const std::vector<Talker>& all)
    {
        std::vector<Child> children;
        for (std::size_t i = 0; i < all.size(); ++i) {
            auto child = Child::start(talk(all[i], i));
            EXPECT_TRUE(child) << child.error().text;
            children.push_back(child.take());
        }
        std::uint64_t resent = 0;
        for (Child& child : children) {
            const Outcome outcome = child.finish(kTimeout);
            EXPECT_EQ(outcome.exit_code, 0) << outcome.text();
            const auto at = outcome.out.find("resent=");
            resent += at == std::string::npos ? 0 : std::strtoul(outcome.out.c_str() + at + 7, nullptr, 10);
        }
        return resent;
    }

    static std::string events() { return site().guard.run_dir() + "/events.jsonl"; }

    /// What the service saw, by process, is what the events say and what the counters add up to.
    void compare(const std::vector<Talker>& all, const std::string& decision, const RequestSums& counted) const
    {
        const auto logged = counts_in_log(log_);
        const auto listed = counts_in_events(events(), decision);
        Counts sum;
        for (std::size_t i = 0; i < all.size(); ++i) {
            ASSERT_TRUE(logged.contains(name_of(i))) << i;
            Counts expected = logged.at(name_of(i));
            expected.unknown = all[i].unknown;
            EXPECT_GT(expected.v1 + expected.v2, 0U) << i;
            const auto found = listed.find(kFirstUser + static_cast<uid_t>(i));
            EXPECT_EQ(found == listed.end() ? Counts{} : found->second, expected) << "talker " << i;
            sum = sum + expected;
        }
        EXPECT_EQ(listed.size(), all.size());
        EXPECT_EQ((Counts{counted.v1, counted.v2, counted.unknown}), sum);
    }

    /// Runs the agent and the talkers, ends the agent, compares.
    void check(const std::string& policy, const std::string& decision, const std::vector<Talker>& all)
    {
        (void)::unlink(events().c_str()); // of the test before
        auto agent = site().guard.start_agent(policy);
        ASSERT_TRUE(agent) << agent.error().text;
        ASSERT_TRUE(lose_packets());
        const std::uint64_t resent = talk_all(all);
        EXPECT_GT(resent, 0U) << "nothing was sent twice";
        const auto status = site().guard.status();
        ASSERT_TRUE(status) << status.error().text;
        agent->signal(SIGTERM);
        const Outcome ended = agent->finish(kTimeout);
        ASSERT_EQ(ended.exit_code, 0) << ended.text();
        compare(all, decision, status->requests);
        const auto& counts = decision == "allow" ? status->rules.at("talkers") : status->endpoints.at("imds");
        EXPECT_EQ(counts.requests.v1, status->requests.v1) << status->text;
        EXPECT_EQ(counts.requests.v2, status->requests.v2) << status->text;
        EXPECT_EQ(status->lost.at("streams_full"), 0U);
    }

    /// The status after a guard with the talkers' policy has seen `launch` succeed.
    [[nodiscard]] static Result<GuardStatus> status_after(const Launch& launch)
    {
        TRY(site().guard.load(kTalkersAllowed));
        TRY_ASSIGN(const Outcome outcome, run(launch));
        EXPECT_EQ(outcome.exit_code, 0) << outcome.text();
        return site().guard.status();
    }

    std::string log_;
    std::optional<Child> service_;
};

TEST_F(ImdsVersion, IsExactForEachProcess) { check(kTalkersAllowed, "allow", talkers()); }

TEST_F(ImdsVersion, IsExactInAuditModeToo)
{
    check("[guard]\nmode = \"audit\"\n", "would-deny",
          {{kImds4, "whole", "t21", 2}, {kImds6, "pipeline", "t" + repeated("21", 20), 2}, {kImds4, "bytes", "11", 1}});
}

TEST_F(ImdsVersion, HalfARequestIsUnknown)
{
    const auto status = status_after(talk({kImds4, "whole", "t1-", 1}, 0));
    ASSERT_TRUE(status) << status.error().text;
    EXPECT_EQ(status->requests.v1, 1U) << status->text;
    EXPECT_EQ(status->requests.v2, 1U) << status->text;
    EXPECT_EQ(status->requests.unknown, 1U) << status->text;
}

TEST_F(ImdsVersion, CurlIsReadToo)
{
    if (::access(kCurl, X_OK) != 0) {
        GTEST_SKIP() << "no " << kCurl << " here";
    }
    const std::string base = std::string("http://") + kImds4 + ":" + kPort;
    const std::string item = base + "/latest/meta-data/instance-id";
    Launch curl = talk({kImds4, "", "", 0}, 0);
    // One connection: a token call, an upload of unknown size to the same place, an item with a token, two without.
    curl.argv = {kCurl,
                 "-s",
                 "-X",
                 "PUT",
                 "-H",
                 "X-aws-ec2-metadata-token-ttl-seconds: 60",
                 base + "/latest/api/token",
                 "--next",
                 "-s",
                 "-T",
                 "-",
                 "-H",
                 "X-aws-ec2-metadata-token-ttl-seconds: 60",
                 base + "/latest/api/token",
                 "--next",
                 "-s",
                 "-H",
                 "X-aws-ec2-metadata-token: any",
                 item,
                 "--next",
                 "-s",
                 item,
                 item};
    curl.input = "body";
    const auto status = status_after(curl);
    ASSERT_TRUE(status) << status.error().text;
    EXPECT_EQ(status->requests.v1, 2U) << status->text;
    EXPECT_EQ(status->requests.v2, 3U) << status->text;
    EXPECT_EQ(status->requests.unknown, 0U) << status->text;
}

} // namespace
} // namespace hostward::e2e
