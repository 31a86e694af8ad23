// SPDX-License-Identifier: Apache-2.0
#include "hardening/formats/formats.h"

#include "agent/base/text.h"

#include <nlohmann/json.hpp>

namespace hostward::hardening {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;

Json value_json(const Value& value)
{
    return std::visit([](const auto& one) { return Json(one); }, value);
}

Json evidence_json(const Outcome& outcome)
{
    Json out = Json::array();
    for (const auto& one : outcome.evidence) {
        // Bytes that are no UTF-8 become \xNN, so that the JSON is valid whatever a file is called.
        out.push_back({{"where", escape(one.where)}, {"expected", escape(one.expected)}, {"found", escape(one.found)}});
    }
    return out;
}

Json waiver_json(const Waiver& waiver)
{
    Json out{{"rule", waiver.rule}, {"reason", waiver.reason}, {"owner", waiver.owner}};
    if (!waiver.expires.empty()) {
        out["expires"] = waiver.expires;
    }
    return out;
}

Json finding_json(const Finding& finding)
{
    const Recommendation& one = *finding.recommendation;
    Json out{{"number", one.number},
             {"title", finding.title()},
             {"automated", one.is_automated},
             {"verdict", verdict_name(finding.outcome.verdict)}};
    if (one.server != 0) {
        out["level_server"] = one.server;
    }
    if (one.workstation != 0) {
        out["level_workstation"] = one.workstation;
    }
    if (finding.rule != nullptr) {
        out["rule"] = finding.rule->id;
        out["severity"] = severity_name(finding.rule->severity);
        out["parameters"] = Json::object();
        for (const auto& [name, value] : finding.parameters) {
            out["parameters"][name] = value_json(value);
        }
    }
    if (!finding.outcome.reason.empty()) {
        out["reason"] = escape(finding.outcome.reason);
    }
    out["evidence"] = evidence_json(finding.outcome);
    out["evidence_dropped"] = finding.outcome.evidence_dropped;
    if (finding.waiver) {
        out["waiver"] = waiver_json(finding.waiver->waiver);
        out["waiver"]["state"] = finding.waiver->state == WaiverState::Holds ? "holds" : "expired";
    }
    out["took_us"] = finding.took.count();
    return out;
}

Json summary_json(const Report& report)
{
    Json out = Json::object();
    for (const auto verdict :
         {Verdict::Pass, Verdict::Fail, Verdict::CannotTell, Verdict::Manual, Verdict::NotApplicable}) {
        out[verdict_name(verdict)] = report.count(verdict);
    }
    out["waived"] = report.count(Verdict::Fail) - report.open_failures();
    if (const auto score = report.score()) {
        out["score"] = *score;
    }
    return out;
}

Json since_json(const Comparison& since)
{
    Json out{{"file", escape(since.file)}, {"started", since.started_s}, {"changes", Json::array()}};
    for (const auto& one : since.changes) {
        Json change{{"change", change_name(one.change)}, {"number", escape(one.number)}, {"title", escape(one.title)}};
        if (one.before) {
            change["before"] = verdict_name(*one.before);
        }
        if (one.now) {
            change["now"] = verdict_name(*one.now);
        }
        out["changes"].push_back(std::move(change));
    }
    return out;
}

Json report_tree(const Report& report)
{
    Json out{{"version", kVersion},
             {"hostward", HOSTWARD_VERSION},
             {"profile",
              {{"id", report.profile->id}, {"title", report.profile->title}, {"version", report.profile->version}}},
             {"level", report.level},
             {"role", report.is_workstation ? "workstation" : "server"},
             {"host",
              {{"name", escape(report.subject.host_name)},
               {"os", escape(report.subject.os)},
               {"running", report.subject.is_running},
               {"root", escape(report.subject.root)}}},
             {"started", report.started_s},
             {"took_us", report.took.count()},
             {"summary", summary_json(report)},
             {"findings", Json::array()},
             {"orphan_waivers", Json::array()}};
    for (const auto& finding : report.findings) {
        out["findings"].push_back(finding_json(finding));
    }
    for (const auto& waiver : report.orphan_waivers) {
        out["orphan_waivers"].push_back(waiver_json(waiver));
    }
    if (report.since) {
        out["since"] = since_json(*report.since);
    }
    return out;
}

} // namespace

std::string json_report(const Report& report) { return report_tree(report).dump(2) + "\n"; }

std::string json_line_report(const Report& report) { return report_tree(report).dump() + "\n"; }

std::string coverage_json(const Library& library)
{
    Json out{{"version", kVersion}, {"profiles", Json::array()}};
    for (const auto& profile : library.profiles) {
        const Coverage one = coverage_of(profile);
        out["profiles"].push_back({{"id", profile.id},
                                   {"version", profile.version},
                                   {"automated", one.automated},
                                   {"decided", one.decided},
                                   {"missing", one.missing()},
                                   {"manual", one.manual},
                                   {"guided", one.guided}});
    }
    return out.dump(2) + "\n";
}

} // namespace hostward::hardening
