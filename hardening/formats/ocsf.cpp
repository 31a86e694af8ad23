// SPDX-License-Identifier: Apache-2.0
// OCSF 1.6 Compliance Finding, one event a recommendation, as a JSON array.
// Source: https://schema.ocsf.io/1.6.0/classes/compliance_finding
#include "hardening/formats/formats.h"

#include "agent/base/text.h"
#include "hardening/formats/wording.h"

#include <nlohmann/json.hpp>

namespace hostward::hardening {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kOcsfVersion = "1.6.0";
constexpr int kClass = 2003;
constexpr int kActivityCreate = 1;
constexpr int kTypeFactor = 100; ///< type_uid is class_uid * 100 + activity_id

struct Coded {
    int id;
    const char* name;
};

Coded status_of(Verdict verdict)
{
    switch (verdict) {
    case Verdict::Pass: return {1, "Pass"};
    case Verdict::Fail: return {3, "Fail"};
    case Verdict::CannotTell: return {2, "Warning"}; // "did not yield a result due to missing information"
    case Verdict::NotApplicable:
    case Verdict::Manual: break;
    }
    return {99, "Other"};
}

Coded severity_of(const Finding& finding)
{
    if (finding.outcome.verdict != Verdict::Fail) {
        return {1, "Informational"};
    }
    switch (finding.rule == nullptr ? Severity::Medium : finding.rule->severity) {
    case Severity::Low: return {2, "Low"};
    case Severity::Medium: return {3, "Medium"};
    case Severity::High: return {4, "High"};
    case Severity::Critical: break;
    }
    return {5, "Critical"};
}

/// OCSF says how CIS levels become severities: level 1 Medium, level 2 High.
Coded level_severity(int level) { return level == 1 ? Coded{3, "Medium"} : Coded{4, "High"}; }

bool is_waived(const Finding& finding) { return finding.waiver && finding.waiver->state == WaiverState::Holds; }

Json check_json(const Report& report, const Finding& finding)
{
    const Coded status = status_of(finding.outcome.verdict);
    const Coded severity = level_severity(report.level_of(*finding.recommendation));
    Json out{{"uid", finding.recommendation->number},
             {"name", finding.title()},
             {"version", report.profile->version},
             {"standards", {report.profile->title}},
             {"severity_id", severity.id},
             {"severity", severity.name},
             {"status_id", status.id},
             {"status", status.name}};
    return out;
}

Json compliance_json(const Report& report, const Finding& finding)
{
    const Coded status = status_of(finding.outcome.verdict);
    Json details = Json::array();
    for (const auto& line : detail_lines(finding)) {
        details.push_back(line);
    }
    return {{"standards", {report.profile->title + " v" + report.profile->version}},
            {"requirements", {finding.recommendation->number}},
            {"control", finding.rule == nullptr ? finding.recommendation->number : finding.rule->id},
            {"status_id", status.id},
            {"status", status.id == 99 ? verdict_name(finding.outcome.verdict) : status.name},
            {"status_details", details},
            {"checks", {check_json(report, finding)}}};
}

Json resource_json(const Report& report)
{
    const std::string name = escape(report.subject.host_name);
    return {{"name", name}, {"uid", resource_id(report)}, {"type", report.subject.is_running ? "host" : "image"}};
}

Json event_json(const Report& report, const Finding& finding)
{
    const Coded severity = severity_of(finding);
    const std::int64_t time_ms = report.started_s * 1000;
    Json out{{"class_uid", kClass},
             {"class_name", "Compliance Finding"},
             {"category_uid", 2},
             {"category_name", "Findings"},
             {"activity_id", kActivityCreate},
             {"activity_name", "Create"},
             {"type_uid", kClass * kTypeFactor + kActivityCreate},
             {"type_name", "Compliance Finding: Create"},
             {"time", time_ms},
             {"severity_id", severity.id},
             {"severity", severity.name},
             {"status_id", is_waived(finding) ? 3 : 1},
             {"status", is_waived(finding) ? "Suppressed" : "New"},
             {"metadata",
              {{"version", kOcsfVersion},
               {"product", {{"name", "hostward"}, {"vendor_name", "hostward"}, {"version", HOSTWARD_VERSION}}}}},
             {"finding_info",
              {{"uid", finding_id(report, finding)},
               {"title", finding.title()},
               {"desc", finding.rule == nullptr ? finding.title() : finding.rule->rationale},
               {"created_time", time_ms}}},
             {"compliance", compliance_json(report, finding)},
             {"resources", {resource_json(report)}}};
    if (finding.rule != nullptr) {
        out["remediation"] = {{"desc", finding.rule->remediation}};
    }
    if (finding.waiver) {
        out["message"] = waiver_line(*finding.waiver);
    }
    return out;
}

} // namespace

std::string ocsf_report(const Report& report)
{
    Json out = Json::array();
    for (const auto& finding : report.findings) {
        out.push_back(event_json(report, finding));
    }
    return out.dump(2) + "\n";
}

} // namespace hostward::hardening
