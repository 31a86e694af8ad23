// SPDX-License-Identifier: Apache-2.0
#include "agent/report/spool_file.h"

#include "agent/base/text.h"
#include "agent/report/json_read.h"
#include "agent/report/sigv4.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace hostward::report {

namespace {

using Json = nlohmann::json;

constexpr std::string_view kMark = "hostward-spool/1 ";
constexpr std::size_t kHexSize = 64;
constexpr std::size_t kIdMax = 64;
constexpr std::size_t kSequenceDigits = 20; // of the largest std::uint64_t
constexpr std::string_view kSuffix = ".report";

/// Every field of an identity, by its name in the file.
struct Field {
    const char* name;
    std::string InstanceIdentity::*text;
};
constexpr Field kFields[] = {
    {"account_id", &InstanceIdentity::account_id},       {"region", &InstanceIdentity::region},
    {"instance_id", &InstanceIdentity::instance_id},     {"image_id", &InstanceIdentity::image_id},
    {"instance_type", &InstanceIdentity::instance_type}, {"availability_zone", &InstanceIdentity::availability_zone},
    {"architecture", &InstanceIdentity::architecture},   {"pending_time", &InstanceIdentity::pending_time},
};

/// Members that the posture is made of, those above them included.
constexpr std::string_view kPosture[] = {"guard",  "known",    "loaded", "mode",    "sealed", "policy_digest",
                                         "layers", "name",     "state",  "why",     "checks", "profile",
                                         "id",     "findings", "number", "verdict", "waiver"};

Json about_json(const SpoolFile& file)
{
    Json identity = Json::object();
    for (const auto& field : kFields) {
        identity[field.name] = file.report.identity.*field.text;
    }
    return {{"id", file.report.id},
            {"sequence", file.report.sequence},
            {"created_s", file.report.created_s},
            {"posture", file.posture},
            {"identity", identity}};
}

Result<SpoolFile> parse_about(std::string_view line)
{
    const Json all = Json::parse(line, nullptr, false);
    const bool is_whole = all.is_object() && all.contains("id") && all["id"].is_string() && all.contains("sequence") &&
                          all["sequence"].is_number_unsigned() && all.contains("created_s") &&
                          all["created_s"].is_number_integer() && all.contains("posture") &&
                          all["posture"].is_string() && all.contains("identity") && all["identity"].is_object();
    if (!is_whole) {
        return invalid_error("its second line does not describe a report");
    }
    SpoolFile out;
    out.report.id = all["id"].get<std::string>();
    out.report.sequence = all["sequence"].get<std::uint64_t>();
    out.report.created_s = all["created_s"].get<std::int64_t>();
    out.posture = all["posture"].get<std::string>();
    for (const auto& field : kFields) {
        const auto found = all["identity"].find(field.name);
        if (found != all["identity"].end() && found->is_string()) {
            out.report.identity.*field.text = found->get<std::string>();
        }
    }
    return out;
}

} // namespace

std::string write_spool_file(const SpoolFile& file)
{
    std::string rest = json_line(about_json(file));
    rest += '\n';
    rest += file.report.bytes;
    std::string out(kMark);
    out += sha256_hex(rest);
    out += '\n';
    out += rest;
    return out;
}

Result<SpoolFile> parse_spool_file(std::string_view bytes)
{
    constexpr std::size_t head = kMark.size() + kHexSize + 1;
    if (bytes.size() < head || !bytes.starts_with(kMark) || bytes[head - 1] != '\n') {
        return invalid_error("its first line is none of the spool");
    }
    const std::string_view rest = bytes.substr(head);
    if (bytes.substr(kMark.size(), kHexSize) != sha256_hex(rest)) {
        return invalid_error("its bytes are not those that were written");
    }
    const std::size_t end = rest.find('\n');
    if (end > kSpoolHeadBytesMax) { // npos, too
        return invalid_error("its second line does not describe a report");
    }
    TRY_ASSIGN(SpoolFile out, parse_about(rest.substr(0, end)));
    out.report.bytes = rest.substr(end + 1);
    return out;
}

std::string posture_digest(std::string_view report)
{
    // Evidence is most of a report: what is not looked at is not kept in memory either.
    const auto is_wanted = [](int, Json::parse_event_t event, const Json& parsed) {
        return event != Json::parse_event_t::key ||
               std::ranges::find(kPosture, parsed.get_ref<const std::string&>()) != std::end(kPosture);
    };
    const Json all = Json::parse(report, is_wanted, false);
    const Json& guard = json_member(all, "guard");
    Json said = Json::array();
    for (const char* name : {"known", "loaded", "mode", "sealed", "policy_digest", "layers"}) {
        said.push_back(json_member(guard, name));
    }
    const Json& checks = json_member(all, "checks");
    for (const auto& check : checks.is_array() ? checks : Json::array()) {
        said.push_back(json_member(json_member(check, "profile"), "id"));
        const Json& findings = json_member(check, "findings");
        for (const auto& finding : findings.is_array() ? findings : Json::array()) {
            said.push_back({json_member(finding, "number"), json_member(finding, "verdict"),
                            json_member(json_member(finding, "waiver"), "state")});
        }
    }
    return sha256_hex(json_line(said));
}

std::string spool_name(const Report& report)
{
    const std::string number = std::to_string(report.sequence);
    return std::string(kSequenceDigits - number.size(), '0') + number + "-" + report.id + std::string(kSuffix);
}

std::optional<SpoolName> parse_spool_name(std::string_view name)
{
    if (name.size() <= kSequenceDigits + 1 + kSuffix.size() || !name.ends_with(kSuffix) ||
        name[kSequenceDigits] != '-') {
        return std::nullopt;
    }
    const auto sequence = parse_number<std::uint64_t>(name.substr(0, kSequenceDigits));
    name.remove_prefix(kSequenceDigits + 1);
    name.remove_suffix(kSuffix.size());
    if (!sequence || !is_report_id(name)) {
        return std::nullopt;
    }
    return SpoolName{*sequence, std::string(name)};
}

bool is_report_id(std::string_view id)
{
    return !id.empty() && id.size() <= kIdMax && std::ranges::all_of(id, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    });
}

} // namespace hostward::report
