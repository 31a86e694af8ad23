// SPDX-License-Identifier: Apache-2.0
// Security Hub: one finding per recommendation, in the AWS Security Finding Format. Passed ones, too: that is how a
// failed one ends. https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html
#include "agent/report/aws_client.h"
#include "agent/report/aws_endpoint.h"
#include "agent/report/json_read.h"
#include "agent/report/posture_view.h"
#include "agent/report/retry.h"
#include "agent/report/sinks.h"
#include "hardening/formats/wording.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <span>

namespace hostward::report {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kFindingsPerCall = 100; // the service's own bounds
constexpr std::size_t kTitleMax = 256;
constexpr std::size_t kDescriptionMax = 1024;
constexpr std::size_t kReasonMax = 1024;
constexpr std::size_t kReasonsMax = 20;
constexpr std::size_t kIdMax = 512;
constexpr std::size_t kCallBytesMax = std::size_t{4} << 20; // ours; 100 findings are at most 240 KB each

std::string status_of(const CheckResult& result)
{
    if (result.verdict == "pass") {
        return "PASSED";
    }
    if (result.verdict == "fail") {
        return result.is_waived() ? "WARNING" : "FAILED";
    }
    return result.verdict == "cannot-tell" ? "WARNING" : "NOT_AVAILABLE";
}

std::string label_of(const CheckResult& result)
{
    if (status_of(result) != "FAILED") {
        return "INFORMATIONAL";
    }
    constexpr std::pair<std::string_view, const char*> kLabels[] = {
        {"low", "LOW"}, {"medium", "MEDIUM"}, {"high", "HIGH"}, {"critical", "CRITICAL"}};
    const auto* found = std::ranges::find(kLabels, result.severity, &std::pair<std::string_view, const char*>::first);
    return found == std::end(kLabels) ? "MEDIUM" : found->second;
}

std::string reason_code(const CheckResult& result)
{
    std::string out = "HOSTWARD_";
    for (const char c : result.is_waived() ? "waived" : result.verdict.substr(0, 32)) {
        const bool is_letter = c >= 'a' && c <= 'z';
        out += is_letter ? static_cast<char>(c - 'a' + 'A') : '_';
    }
    return out;
}

Json compliance_json(const CheckResult& result)
{
    Json reasons = Json::array();
    const auto add = [&](const std::string& line) {
        if (!line.empty() && reasons.size() < kReasonsMax) {
            reasons.push_back({{"ReasonCode", reason_code(result)}, {"Description", cut_text(line, kReasonMax)}});
        }
    };
    add(result.is_waived() ? "waived by " + result.waiver : "");
    std::ranges::for_each(result.details, add);
    Json out{{"Status", status_of(result)},
             {"RelatedRequirements",
              {cut_text(result.profile_title + " v" + result.profile_version + "/" + result.number, 64)}}};
    if (!reasons.empty()) {
        out["StatusReasons"] = reasons;
    }
    return out;
}

/// What all findings of a report share.
struct Subject {
    const Report& report;
    std::string region;

    [[nodiscard]] std::string arn(const std::string& service, const std::string& rest) const
    {
        return "arn:" + std::string(aws_partition(region).name) + ":" + service + ":" + region + ":" +
               report.identity.account_id + ":" + rest;
    }
};

Json finding_json(const CheckResult& result, const Subject& subject)
{
    const InstanceIdentity& who = subject.report.identity;
    const std::string time = hardening::iso_time(subject.report.created_s);
    const std::string place = result.profile + "/" + result.number;
    const std::string title = result.number + " " + result.title;
    const std::string types = "Software and Configuration Checks/Industry and Regulatory Standards";
    Json out{{"SchemaVersion", "2018-10-08"},
             {"Id", cut_text("hostward/" + place + "/" + who.instance_id, kIdMax)},
             {"ProductArn", subject.arn("securityhub", "product/" + who.account_id + "/default")},
             {"GeneratorId", cut_text("hostward/" + place, kIdMax)},
             {"AwsAccountId", who.account_id},
             {"CreatedAt", time},
             {"UpdatedAt", time},
             {"Severity", {{"Label", label_of(result)}}},
             {"FindingProviderFields", {{"Severity", {{"Label", label_of(result)}}}, {"Types", {types}}}},
             {"Title", cut_text(title, kTitleMax)},
             {"Description", cut_text(result.details.empty() ? title : result.details.front(), kDescriptionMax)},
             {"ProductFields", {{"hostward/report", subject.report.id}}},
             {"Resources",
              {{{"Type", "AwsEc2Instance"},
                {"Id", subject.arn("ec2", "instance/" + who.instance_id)},
                {"Partition", aws_partition(subject.region).name},
                {"Region", subject.region}}}},
             {"Compliance", compliance_json(result)},
             {"RecordState", "ACTIVE"}};
    if (!result.rule.empty()) {
        out["ProductFields"]["hostward/rule"] = cut_text(result.rule, kDescriptionMax);
    }
    return out;
}

struct Failure {
    std::string id;
    std::string code;
    std::string message;
    [[nodiscard]] bool may_pass() const
    {
        return code.find("Internal") != std::string::npos || code.find("Throttl") != std::string::npos ||
               code.find("Limit") != std::string::npos || code.find("Unavailable") != std::string::npos;
    }
};

/// What a 200 says was not taken. An answer that cannot be read took nothing for sure.
std::vector<Failure> failures_in(const std::string& body)
{
    const auto answer = nlohmann::json::parse(body, nullptr, false);
    if (!answer.is_object() || !answer.contains("FailedCount") || !answer["FailedCount"].is_number_unsigned()) {
        return {{"", "InternalException", "the answer cannot be read"}};
    }
    std::vector<Failure> out;
    const auto count = answer["FailedCount"].get<std::size_t>();
    const auto listed = answer.find("FailedFindings");
    for (const auto& one : listed != answer.end() && listed->is_array() ? *listed : nlohmann::json::array()) {
        out.push_back({json_text(one, "Id"), json_text(one, "ErrorCode"), json_text(one, "ErrorMessage")});
    }
    if (out.size() < count) {
        out.push_back({"", "InternalException", "findings failed that the answer does not name"});
    }
    return out;
}

class SecurityHubSink : public Sink {
public:
    SecurityHubSink(config::SinkConfig config, const SinkContext& context, std::unique_ptr<AwsClient> client)
        : config_(std::move(config)), context_(context), client_(std::move(client))
    {
    }
    [[nodiscard]] const std::string& name() const override { return config_.name; }

    [[nodiscard]] DeliveryResult deliver(const Report& report) override
    {
        if (report.identity.account_id.empty() || report.identity.instance_id.empty()) {
            return refused("the report does not say which instance it is of: Security Hub takes no finding without it");
        }
        const auto view = view_posture(report.bytes);
        if (!view) {
            return refused(view.error().text);
        }
        const Subject subject{report, client_->region_for(report)};
        failures_ = 0;
        transient_ = false;
        first_.clear();
        for (std::span<const CheckResult> rest(view->results); !rest.empty();) {
            DeliveryResult sent = import_some(rest, subject);
            if (sent.delivery != Delivery::Done) {
                return sent;
            }
        }
        return verdict();
    }

private:
    /// Takes as many results off `rest` as one call may carry, and sends them.
    DeliveryResult import_some(std::span<const CheckResult>& rest, const Subject& subject)
    {
        std::vector<std::string> batch;
        std::size_t bytes = 0;
        while (!rest.empty() && batch.size() < kFindingsPerCall) {
            std::string finding = json_line(finding_json(rest.front(), subject));
            if (!batch.empty() && bytes + finding.size() > kCallBytesMax) {
                break;
            }
            bytes += finding.size() + 1;
            batch.push_back(std::move(finding));
            rest = rest.subspan(1);
        }
        return import_batch(std::move(batch), subject.region);
    }

    /// What failed for a reason that may pass is sent again, alone.
    DeliveryResult import_batch(std::vector<std::string> batch, const std::string& region)
    {
        for (int attempt = 0;; ++attempt) {
            const AwsAnswer answer = client_->call(request_for(batch), region);
            if (answer.result.delivery != Delivery::Done) {
                return answer.result;
            }
            const auto failed = failures_in(answer.response.body);
            const bool is_over = std::ranges::none_of(failed, &Failure::may_pass) || attempt + 1 == kAttemptsMax;
            note(failed, is_over);
            if (is_over) {
                return done();
            }
            keep_only(batch, failed);
            const auto sleep = sleep_before_retry(attempt, context_.random(), nullptr, context_.now_s());
            context_.sleep(sleep.value_or(kSleepMax));
        }
    }

    static AwsRequest request_for(const std::vector<std::string>& batch)
    {
        AwsRequest out;
        out.path = "/findings/import";
        out.headers = {{"Content-Type", "application/json"}};
        out.body = "{\"Findings\":[";
        for (std::size_t i = 0; i < batch.size(); ++i) {
            out.body += (i == 0 ? "" : ",") + batch[i];
        }
        out.body += "]}";
        return out;
    }

    /// Failures that are final count; those that are tried again do not yet.
    void note(const std::vector<Failure>& failed, bool is_over)
    {
        for (const auto& one : failed) {
            if (!is_over && one.may_pass()) {
                continue;
            }
            ++failures_;
            transient_ = transient_ || one.may_pass();
            if (first_.empty()) {
                first_ = shown(one.id) + " " + shown(one.code) + ": " + shown(one.message);
            }
        }
    }

    /// Leaves the findings in `batch` that failed and may be tried again. A failure without a name: all of them.
    static void keep_only(std::vector<std::string>& batch, const std::vector<Failure>& failed)
    {
        std::set<std::string> ids;
        for (const auto& one : failed) {
            if (one.may_pass() && one.id.empty()) {
                return;
            }
            if (one.may_pass()) {
                ids.insert(one.id);
            }
        }
        std::erase_if(batch, [&](const std::string& finding) {
            return !ids.contains(Json::parse(finding)["Id"].get<std::string>());
        });
    }

    [[nodiscard]] DeliveryResult verdict() const
    {
        if (failures_ == 0) {
            return done();
        }
        const std::string text =
            "Security Hub did not take " + std::to_string(failures_) + " findings; the first: " + first_;
        return transient_ ? later(text) : refused(text);
    }

    config::SinkConfig config_;
    const SinkContext& context_;
    std::unique_ptr<AwsClient> client_;
    std::size_t failures_ = 0; ///< of this report
    bool transient_ = false;   ///< one of them may pass later
    std::string first_;        ///< of them, in words
};

} // namespace

OpenedSink open_securityhub_sink(const config::SinkConfig& config, const SinkContext& context)
{
    TRY_ASSIGN(auto client, AwsClient::open(config, "securityhub", context));
    return std::unique_ptr<Sink>(std::make_unique<SecurityHubSink>(config, context, std::move(client)));
}

} // namespace hostward::report
