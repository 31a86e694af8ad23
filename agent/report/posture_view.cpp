// SPDX-License-Identifier: Apache-2.0
#include "agent/report/posture_view.h"

#include "agent/report/json_read.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace hostward::report {

namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> details_of(const Json& finding)
{
    std::vector<std::string> out;
    if (auto reason = json_text(finding, "reason"); !reason.empty()) {
        out.push_back(std::move(reason));
    }
    const Json& evidence = json_member(finding, "evidence");
    for (const auto& one : evidence.is_array() ? evidence : Json::array()) {
        out.push_back(json_text(one, "where") + ": expected " + json_text(one, "expected") + ", found " +
                      json_text(one, "found"));
    }
    return out;
}

CheckResult result_of(const Json& check, const Json& finding)
{
    const Json& profile = json_member(check, "profile");
    const Json& waiver = json_member(finding, "waiver");
    CheckResult out{json_text(profile, "id"),      json_text(profile, "title"),
                    json_text(profile, "version"), json_text(finding, "number"),
                    json_text(finding, "title"),   json_text(finding, "verdict"),
                    json_text(finding, "rule"),    json_text(finding, "severity"),
                    details_of(finding),           ""};
    if (json_text(waiver, "state") == "holds") {
        out.waiver = json_text(waiver, "owner") + ": " + json_text(waiver, "reason");
    }
    return out;
}

void take_results(const Json& check, std::vector<CheckResult>& results)
{
    const Json& findings = json_member(check, "findings");
    for (const auto& finding : findings.is_array() ? findings : Json::array()) {
        CheckResult one = result_of(check, finding);
        if (!one.profile.empty() && !one.number.empty() && !one.verdict.empty()) {
            results.push_back(std::move(one));
        }
    }
}

} // namespace

Result<PostureView> view_posture(std::string_view report)
{
    Json all = Json::parse(report, nullptr, false);
    if (!all.is_object()) {
        return invalid_error("the report is no JSON object");
    }
    PostureView out;
    const auto checks = all.find("checks");
    if (checks != all.end() && checks->is_array()) {
        for (auto& check : *checks) {
            take_results(check, out.results);
            if (check.is_object()) {
                check.erase("findings");
                check.erase("since");
            }
        }
    }
    if (out.results.size() > kResultsMax) {
        return invalid_error("the report has more than " + std::to_string(kResultsMax) + " results");
    }
    out.summary = json_line(all);
    return out;
}

std::string cut_text(std::string_view text, std::size_t bytes_max)
{
    constexpr std::string_view kMore = "...";
    if (text.size() <= bytes_max) {
        return std::string(text);
    }
    std::size_t end = bytes_max > kMore.size() ? bytes_max - kMore.size() : 0;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
        --end;
    }
    return std::string(text.substr(0, end)) + std::string(kMore);
}

} // namespace hostward::report
