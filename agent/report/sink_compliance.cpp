// SPDX-License-Identifier: Apache-2.0
// Systems Manager Compliance: the whole list each time, because a put replaces what was there.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutComplianceItems.html
#include "agent/report/aws_client.h"
#include "agent/report/json_read.h"
#include "agent/report/posture_view.h"
#include "agent/report/retry.h"
#include "agent/report/sigv4.h"
#include "agent/report/sinks.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace hostward::report {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kItemsMax = 10'000; // the service's own bounds
constexpr std::size_t kTitleMax = 500;
constexpr std::size_t kDetailMax = 4096;
constexpr std::size_t kFoundMax = 1024; // ours: a list of hundreds stays well below the service's bound of a call

/// Manual and not applicable ones are neither compliant nor not: they are left out.
bool is_item(const CheckResult& result) { return result.verdict == "pass" || result.needs_attention(); }

/// What could not be told is not compliant; the item says so. What an owner waived is.
bool is_compliant(const CheckResult& result)
{
    return result.verdict == "pass" || (result.verdict == "fail" && result.is_waived());
}

std::string severity_of(const CheckResult& result)
{
    constexpr std::string_view kKnown[] = {"low", "medium", "high", "critical"};
    if (std::ranges::find(kKnown, result.severity) == std::end(kKnown)) {
        return "UNSPECIFIED";
    }
    std::string out = result.severity;
    std::ranges::transform(out, out.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
    return out;
}

Json item_json(const CheckResult& result)
{
    Json details{{"verdict", cut_text(result.verdict, kDetailMax)}, {"profile", cut_text(result.profile, kDetailMax)}};
    if (!result.rule.empty()) {
        details["rule"] = cut_text(result.rule, kDetailMax);
    }
    if (!result.details.empty() && result.verdict != "pass") {
        details["found"] = cut_text(result.details.front(), kFoundMax);
    }
    if (result.is_waived()) {
        details["waiver"] = cut_text(result.waiver, kFoundMax);
    }
    return {{"Id", result.profile + "/" + result.number},
            {"Title", cut_text(result.number + " " + result.title, kTitleMax)},
            {"Severity", severity_of(result)},
            {"Status", is_compliant(result) ? "COMPLIANT" : "NON_COMPLIANT"},
            {"Details", details}};
}

class ComplianceSink : public Sink {
public:
    ComplianceSink(config::SinkConfig config, std::unique_ptr<AwsClient> client)
        : config_(std::move(config)), client_(std::move(client))
    {
    }
    [[nodiscard]] const std::string& name() const override { return config_.name; }

    [[nodiscard]] DeliveryResult deliver(const Report& report) override
    {
        if (report.identity.instance_id.empty()) {
            return refused("the report does not say which instance it is of: compliance is of a managed instance");
        }
        const auto view = view_posture(report.bytes);
        if (!view) {
            return refused(view.error().text);
        }
        Json items = Json::array();
        for (const auto& result : view->results) {
            if (is_item(result)) {
                items.push_back(item_json(result));
            }
        }
        if (items.size() > kItemsMax) {
            return refused("the report has " + std::to_string(items.size()) + " results, and Compliance takes " +
                           std::to_string(kItemsMax));
        }
        return client_->call(request_for(report, items), client_->region_for(report)).result;
    }

private:
    [[nodiscard]] AwsRequest request_for(const Report& report, const Json& items) const
    {
        const Json body{{"ResourceId", report.identity.instance_id},
                        {"ResourceType", "ManagedInstance"},
                        {"ComplianceType", config_.compliance_type},
                        {"ExecutionSummary", {{"ExecutionTime", report.created_s}, {"ExecutionId", report.id}}},
                        {"Items", items},
                        {"ItemContentHash", sha256_hex(json_line(items))},
                        {"UploadType", "COMPLETE"}};
        AwsRequest out;
        out.headers = {{"Content-Type", "application/x-amz-json-1.1"},
                       {"X-Amz-Target", "AmazonSSM.PutComplianceItems"}};
        out.body = json_line(body);
        return out;
    }

    config::SinkConfig config_;
    std::unique_ptr<AwsClient> client_;
};

} // namespace

OpenedSink open_compliance_sink(const config::SinkConfig& config, const SinkContext& context)
{
    TRY_ASSIGN(auto client, AwsClient::open(config, "ssm", context));
    return std::unique_ptr<Sink>(std::make_unique<ComplianceSink>(config, std::move(client)));
}

} // namespace hostward::report
