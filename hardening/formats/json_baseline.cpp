// SPDX-License-Identifier: Apache-2.0
// Our own json report, read again: docs/schema/check-report.schema.json. The file may be anything.
#include "hardening/formats/formats.h"

#include "agent/base/text.h"

#include <nlohmann/json.hpp>

#include <array>

namespace hostward::hardening {

namespace {

using Json = nlohmann::json;

constexpr int kVersion = 1;
constexpr std::size_t kFindingsMax = 10'000;

Error problem(const std::string& file, const std::string& what)
{
    return invalid_error("--baseline " + quote(file) + ": " + what +
                         "; allowed is a report of `hostward check --format json`, version " +
                         std::to_string(kVersion));
}

/// Text of an object's member, or nothing.
std::optional<std::string> text(const Json& object, const char* name)
{
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found == object.end() || !found->is_string() ? std::nullopt : std::optional(found->get<std::string>());
}

std::optional<Verdict> verdict(const std::string& name)
{
    for (const auto one :
         {Verdict::Pass, Verdict::Fail, Verdict::CannotTell, Verdict::Manual, Verdict::NotApplicable}) {
        if (name == verdict_name(one)) {
            return one;
        }
    }
    return std::nullopt;
}

std::optional<Past> past(const Json& finding)
{
    const auto number = text(finding, "number");
    const auto title = text(finding, "title");
    const auto what = verdict(text(finding, "verdict").value_or(""));
    if (!number || !title || !what) {
        return std::nullopt;
    }
    const auto waiver = finding.find("waiver");
    const bool is_waived = waiver != finding.end() && text(*waiver, "state") == "holds";
    return Past{*number, *title, *what, *what == Verdict::Fail && !is_waived};
}

} // namespace

Result<Baseline> parse_baseline(std::string_view json, const std::string& file)
{
    const Json all = Json::parse(json, nullptr, false);
    if (!all.is_object()) {
        return problem(file, "not a JSON object");
    }
    const auto version = all.find("version");
    if (version == all.end() || !version->is_number_integer() || *version != kVersion) {
        return problem(file, "its schema version is " + (version == all.end() ? "missing" : escape(version->dump())));
    }
    const Json nothing = Json::object();
    const Json& profile = all.contains("profile") ? all["profile"] : nothing;
    const Json& host = all.contains("host") ? all["host"] : nothing;
    const auto id = text(profile, "id");
    const auto role = text(all, "role");
    const auto root = text(host, "root");
    const auto findings = all.find("findings");
    if (!id || !role || !root || findings == all.end() || !findings->is_array() || findings->size() > kFindingsMax) {
        return problem(file, "not a whole report");
    }
    Baseline out{file, *id, *role == "workstation", *root, 0, {}};
    const auto started = all.find("started");
    out.started_s = started != all.end() && started->is_number_integer() ? started->get<std::int64_t>() : 0;
    for (const auto& one : *findings) {
        auto known = past(one);
        if (!known) {
            return problem(file, "a finding without number, title or verdict");
        }
        out.findings.push_back(std::move(*known));
    }
    return out;
}

} // namespace hostward::hardening
