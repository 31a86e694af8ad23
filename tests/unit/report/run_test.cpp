// SPDX-License-Identifier: Apache-2.0
// A whole run on a folder, with a metadata service of the test's own.
#include "agent/report/run.h"
#include "agent/report/document.h"
#include "agent/report/proof.h"
#include "tests/unit/host/temp_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace hostward::report {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kNow = 1'795'000'000;

class FakeImds final : public Imds {
public:
    Result<std::string> get(const std::string& path) override
    {
        const auto found = items.find(path);
        return found == items.end() ? Result<std::string>(Error{ErrorKind::NotFound, 0, "404"}) : found->second;
    }
    [[nodiscard]] std::optional<std::int64_t> last_date_s() const override { return date; }

    std::map<std::string, std::string> items{
        {"dynamic/instance-identity/document",
         R"({"accountId":"111122223333","region":"eu-central-1","instanceId":"i-0123456789abcdef0",)"
         R"("imageId":"ami-0a1b2c3d4e5f60718","pendingTime":"2026-03-01T08:15:30Z"})"},
        {"dynamic/instance-identity/rsa2048", "AAAA"},
        {"meta-data/identity-credentials/ec2/security-credentials/ec2-instance",
         R"({"Code":"Success","AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"SECRETKEY","Token":"TOKEN",)"
         R"("Expiration":"2030-01-01T00:00:00Z"})"},
    };
    std::optional<std::int64_t> date;
};

class RunTest : public testing::Test {
protected:
    RunTest()
    {
        settings_.config.state_dir = tree_.root();
        settings_.config.sinks = {file_sink("one"), file_sink("two")};
        for (const auto* folder : {"spool", "one", "two"}) {
            tree_.directory(folder, 0700);
        }
        inputs_.posture = R"({"checks":[]})";
        inputs_.imds = &imds_;
        inputs_.now_s = [this] { return now_; };
        inputs_.sleep = [](std::chrono::milliseconds) {};
        inputs_.random = [] { return 0.5; };
    }
    [[nodiscard]] config::SinkConfig file_sink(const std::string& name) const
    {
        config::SinkConfig out;
        out.name = name;
        out.path = tree_.path(name);
        out.keep = 10;
        return out;
    }
    RunResult run()
    {
        auto result = run_report(settings_, inputs_);
        EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().text);
        return result.ok() ? result.take() : RunResult{};
    }
    /// The envelopes that a file sink has, oldest first.
    [[nodiscard]] std::vector<Envelope> envelopes(const std::string& sink) const
    {
        std::map<std::string, Envelope> out;
        for (const auto& entry : std::filesystem::directory_iterator(tree_.path(sink))) {
            std::ifstream file(entry.path());
            const std::string text{std::istreambuf_iterator<char>(file), {}};
            auto envelope = parse_envelope(text);
            EXPECT_TRUE(envelope.ok()) << entry.path();
            out.emplace(entry.path(), envelope.take());
        }
        std::vector<Envelope> list;
        for (auto& [name, envelope] : out) {
            list.push_back(std::move(envelope));
        }
        return list;
    }
    [[nodiscard]] static std::string header(const Envelope& envelope, const std::string& name)
    {
        for (const auto& [key, value] : envelope.proof.sts.value_or(HttpRequest{}).headers) {
            if (key == name) {
                return value;
            }
        }
        return "absent";
    }

    host::TempTree tree_;
    FakeImds imds_;
    RunSettings settings_;
    RunInputs inputs_;
    std::int64_t now_ = kNow;
};

TEST_F(RunTest, EachSinkHasEachReportOnce)
{
    settings_.only_sinks = {"one"};
    EXPECT_EQ(run().sinks.size(), 1U);
    settings_.only_sinks.clear();
    now_ += 60;
    const auto second = run();
    EXPECT_EQ(second.report.sequence, 2U);
    ASSERT_EQ(second.sinks.size(), 2U);
    EXPECT_EQ(second.sinks[0].sent, 1U);
    EXPECT_EQ(second.sinks[1].sent, 2U); // it waited for the first as well
    EXPECT_EQ(envelopes("one").size(), 2U);
    EXPECT_EQ(envelopes("two").size(), 2U);
    EXPECT_EQ(envelopes("one")[1].report, second.report.bytes);
}

TEST_F(RunTest, TheProofIsForThisReportAndAudience)
{
    settings_.config.audience = "posture.example.com";
    settings_.nonce = "challenge";
    (void)run();
    const auto envelope = envelopes("one").at(0);
    EXPECT_EQ(envelope.proof.audience, "posture.example.com");
    EXPECT_EQ(envelope.proof.report_sha256, sha256_hex(envelope.report));
    EXPECT_EQ(header(envelope, kAudienceHeader), "posture.example.com");
    EXPECT_EQ(header(envelope, kNonceHeader), "challenge");
    EXPECT_EQ(header(envelope, kReportHeader), sha256_hex(envelope.report));
    EXPECT_EQ(header(envelope, "X-Amz-Date"), amz_date(kNow));
    ASSERT_TRUE(envelope.proof.identity);
    EXPECT_EQ(envelope.proof.identity->rsa2048, "AAAA");
}

TEST_F(RunTest, NoncesDiffer)
{
    (void)run();
    EXPECT_NE(envelopes("one").at(0).proof.nonce, envelopes("two").at(0).proof.nonce);
}

TEST_F(RunTest, AWrongClockDatesNoProof)
{
    imds_.date = kNow + 600;
    EXPECT_THAT(run().notes, ElementsAre(HasSubstr("clock of this host is 600 s behind")));
    EXPECT_EQ(header(envelopes("one").at(0), "X-Amz-Date"), amz_date(kNow + 600));
    imds_.date = kNow - 600;
    EXPECT_THAT(run().notes, ElementsAre(HasSubstr("600 s ahead of")));
    imds_.date = kNow + 100; // the network's time
    now_ += 1;
    EXPECT_TRUE(run().notes.empty());
    EXPECT_EQ(header(envelopes("one").back(), "X-Amz-Date"), amz_date(kNow + 1));
}

TEST_F(RunTest, WhatIsMissingIsSaid)
{
    imds_.items.erase("meta-data/identity-credentials/ec2/security-credentials/ec2-instance");
    (void)run();
    EXPECT_THAT(envelopes("one").at(0).proof.note, HasSubstr("not bound to STS"));
    inputs_.imds = nullptr;
    inputs_.imds_problem = "disabled";
    now_ += 1;
    const auto result = run();
    EXPECT_EQ(result.identity_problem, "disabled");
    EXPECT_THAT(result.report.bytes, HasSubstr(R"("identity":{"unknown":"disabled"})"));
    EXPECT_FALSE(envelopes("one").back().proof.identity);
}

TEST_F(RunTest, WhatNoReceiverWouldTakeIsNotSent)
{
    settings_.nonce = "two words";
    const auto result = run();
    EXPECT_EQ(result.sinks[0].waiting, 1U);
    EXPECT_THAT(result.sinks[0].text, HasSubstr("nonce"));
}

TEST_F(RunTest, ALongReasonIsShortened)
{
    imds_.items["meta-data/identity-credentials/ec2/security-credentials/ec2-instance"] =
        R"({"Code":"x)" + std::string(4000, 'y') + R"("})";
    (void)run();
    EXPECT_LE(envelopes("one").at(0).proof.note.size(), 1024U);
}

TEST_F(RunTest, NoProofWhereNoneIsWanted)
{
    settings_.config.proof = config::ProofChoice::None;
    (void)run();
    const auto proof = envelopes("one").at(0).proof;
    EXPECT_FALSE(proof.sts || proof.identity);
    EXPECT_EQ(proof.note, "");
}

TEST_F(RunTest, ASinkThatFailsKeepsItsOwnReportsOnly)
{
    settings_.config.sinks[0].path = "/dev/null/folder";
    const auto first = run();
    EXPECT_EQ(first.sinks[0].waiting, 1U);
    EXPECT_NE(first.sinks[0].text, "");
    EXPECT_EQ(first.sinks[1].sent, 1U);
    settings_.config.sinks[0] = file_sink("one");
    now_ += 1;
    EXPECT_EQ(run().sinks[0].sent, 2U);
    now_ += 1;
    EXPECT_EQ(run().sinks[0].sent, 1U);
}

TEST_F(RunTest, AnErrorKeepsNothing)
{
    inputs_.posture = "{\"id\":1}";
    EXPECT_FALSE(run_report(settings_, inputs_).ok());
    inputs_.posture = "{}";
    EXPECT_EQ(run().report.sequence, 1U);
}

TEST_F(RunTest, APreviewKeepsNothing)
{
    const auto preview = preview_report(inputs_);
    ASSERT_TRUE(preview.ok()) << preview.error().text;
    EXPECT_EQ(preview->sequence, 0U);
    EXPECT_EQ(run().report.sequence, 1U);
}

} // namespace
} // namespace hostward::report
