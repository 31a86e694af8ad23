// SPDX-License-Identifier: Apache-2.0
// AWS Security Finding Format, a JSON array: what BatchImportFindings takes, 100 at a time.
// Source: https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html
#include "hardening/formats/formats.h"

#include "agent/base/text.h"
#include "hardening/formats/wording.h"

#include <nlohmann/json.hpp>

namespace hostward::hardening {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kTitleMax = 256; // the service's own bounds
constexpr std::size_t kDescriptionMax = 1024;
constexpr std::size_t kReasonMax = 2048;
constexpr std::size_t kReasonsMax = 20;

/// At most `bytes_max`, cut before a character, not within one.
std::string cut(std::string text, std::size_t bytes_max)
{
    if (text.size() <= bytes_max) {
        return text;
    }
    std::size_t end = bytes_max - 3;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
        --end;
    }
    return text.substr(0, end) + "...";
}

const char* status_of(Verdict verdict)
{
    switch (verdict) {
    case Verdict::Pass: return "PASSED";
    case Verdict::Fail: return "FAILED";
    case Verdict::CannotTell: return "WARNING";
    case Verdict::NotApplicable:
    case Verdict::Manual: break;
    }
    return "NOT_AVAILABLE";
}

const char* severity_label(const Finding& finding)
{
    if (finding.outcome.verdict != Verdict::Fail) {
        return "INFORMATIONAL";
    }
    switch (finding.rule == nullptr ? Severity::Medium : finding.rule->severity) {
    case Severity::Low: return "LOW";
    case Severity::Medium: return "MEDIUM";
    case Severity::High: return "HIGH";
    case Severity::Critical: break;
    }
    return "CRITICAL";
}

std::string reason_code(Verdict verdict)
{
    std::string code = "HOSTWARD_";
    for (const char* c = verdict_name(verdict); *c != '\0'; ++c) {
        code += *c == '-' ? '_' : static_cast<char>(*c - 'a' + 'A');
    }
    return code;
}

Json compliance_json(const Report& report, const Finding& finding)
{
    Json reasons = Json::array();
    for (const auto& line : detail_lines(finding)) {
        if (reasons.size() < kReasonsMax) {
            reasons.push_back(
                {{"ReasonCode", reason_code(finding.outcome.verdict)}, {"Description", cut(line, kReasonMax)}});
        }
    }
    Json out{{"Status", status_of(finding.outcome.verdict)},
             {"RelatedRequirements",
              {report.profile->title + " v" + report.profile->version + "/" + finding.recommendation->number}}};
    if (!reasons.empty()) {
        out["StatusReasons"] = reasons;
    }
    return out;
}

Json resource_json(const Report& report, const AwsIdentity& aws)
{
    const bool is_instance = !aws.instance.empty();
    const std::string arn = "arn:" + aws.partition() + ":ec2:" + aws.region + ":" + aws.account + ":instance/";
    return {{"Type", is_instance ? "AwsEc2Instance" : "Other"},
            {"Id", is_instance ? arn + aws.instance : resource_id(report)},
            {"Partition", aws.partition()},
            {"Region", aws.region}};
}

Json finding_json(const Report& report, const Finding& finding, const AwsIdentity& aws)
{
    const std::string time = iso_time(report.started_s);
    const std::string product = "arn:" + aws.partition() + ":securityhub:" + aws.region + ":" + aws.account +
                                ":product/" + aws.account + "/default";
    const bool is_waived = finding.waiver && finding.waiver->state == WaiverState::Holds;
    const std::string subject = aws.instance.empty() ? "" : "/" + aws.instance;
    Json out{{"SchemaVersion", "2018-10-08"},
             {"Id", finding_id(report, finding) + subject},
             {"ProductArn", product},
             {"GeneratorId", "hostward/" + report.profile->id + "/" + finding.recommendation->number},
             {"AwsAccountId", aws.account},
             {"Types",
              {"Software and Configuration Checks/Industry and Regulatory Standards/CIS Host Hardening Benchmarks"}},
             {"CreatedAt", time},
             {"UpdatedAt", time},
             {"Severity", {{"Label", severity_label(finding)}}},
             {"Title", cut(finding.recommendation->number + " " + finding.title(), kTitleMax)},
             {"Description", cut(finding.rule == nullptr ? finding.title() : finding.rule->rationale, kDescriptionMax)},
             {"Resources", {resource_json(report, aws)}},
             {"Compliance", compliance_json(report, finding)},
             {"Workflow", {{"Status", is_waived ? "SUPPRESSED" : "NEW"}}},
             {"RecordState", "ACTIVE"}};
    if (finding.rule != nullptr) {
        out["ProductFields"] = {{"hostward/rule", finding.rule->id}};
        out["Remediation"] = {{"Recommendation", {{"Text", cut(finding.rule->remediation, 512)}}}};
    }
    if (finding.waiver) {
        out["Note"] = {
            {"Text", cut(waiver_line(*finding.waiver), 512)}, {"UpdatedBy", "hostward"}, {"UpdatedAt", time}};
    }
    return out;
}

} // namespace

std::string AwsIdentity::partition() const
{
    if (region.starts_with("cn-")) {
        return "aws-cn";
    }
    return region.starts_with("us-gov-") ? "aws-us-gov" : "aws";
}

std::string asff_report(const Report& report, const AwsIdentity& aws)
{
    Json out = Json::array();
    for (const auto& finding : report.findings) {
        out.push_back(finding_json(report, finding, aws));
    }
    return out.dump(2) + "\n";
}

} // namespace hostward::hardening
