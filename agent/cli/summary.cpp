// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/summary.h"

#include "agent/base/terminal.h"
#include "agent/cli/report_view.h"
#include "agent/cli/status_view.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace hostward::cli {

namespace {

using Json = nlohmann::ordered_json;
using hardening::Finding;
using hardening::Verdict;

// JSON may double every byte of a text, as it does with backslashes: two names or one error fit beside the numbers.
constexpr std::size_t kNameBytesMax = 56;
constexpr std::size_t kErrorBytesMax = 180;
constexpr std::string_view kCut = "...";

bool is_inside_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

/// Printable, and short.
std::string shortened(std::string_view text, std::size_t bytes_max, bool& is_cut)
{
    std::string out = printable(text);
    if (out.size() <= bytes_max) {
        return out;
    }
    is_cut = true;
    std::size_t size = bytes_max - kCut.size();
    while (size > 0 && is_inside_character(out[size])) {
        --size;
    }
    out.resize(size);
    return out.append(kCut);
}

std::string name_of(std::string_view text, bool& is_cut) { return shortened(text, kNameBytesMax, is_cut); }

std::string line_of(const Json& json) { return json.dump() + "\n"; }

/// `out` with as many of `names` in its member `key` as fit, in their order; one that does not fit is passed over.
std::string with_names(Json out, const char* key, const std::vector<std::string>& names, bool is_cut)
{
    out["truncated"] = false; // the longer word, while there is something to fit
    out[key] = Json::array();
    for (const auto& name : names) {
        Json more = out;
        more[key].push_back(printable(name));
        if (line_of(more).size() <= kSummaryBytesMax) {
            out = std::move(more);
        }
    }
    out["truncated"] = is_cut || out[key].size() < names.size();
    return line_of(out);
}

bool is_worse(const Finding* one, const Finding* other)
{
    return one->rule != nullptr && other->rule != nullptr && one->rule->severity > other->rule->severity;
}

/// The rules of the open failures, those of the highest severity first.
std::vector<std::string> worst_rules(const hardening::Report& report)
{
    std::vector<const Finding*> open;
    for (const auto& finding : report.findings) {
        if (finding.is_open_failure()) {
            open.push_back(&finding);
        }
    }
    std::ranges::stable_sort(open, is_worse);
    std::vector<std::string> names;
    for (const auto* finding : open) {
        names.push_back(finding->rule != nullptr ? finding->rule->id : finding->recommendation->number);
    }
    return names;
}

struct Decisions {
    std::uint64_t allowed = 0;
    std::uint64_t denied = 0;
    std::uint64_t would_deny = 0;

    template <typename Counted> void add(const std::vector<Counted>& all)
    {
        for (const auto& one : all) {
            allowed += one.allowed;
            denied += one.denied;
            would_deny += one.would_deny;
        }
    }
};

} // namespace

std::string check_summary(const hardening::Report& report)
{
    bool is_cut = false;
    Json out{{"version", 1}, {"summary", "check"}};
    out["profile"] = name_of(report.profile->id, is_cut);
    out["host"] = name_of(report.subject.host_name, is_cut);
    for (const auto verdict :
         {Verdict::Pass, Verdict::Fail, Verdict::CannotTell, Verdict::Manual, Verdict::NotApplicable}) {
        out[verdict_name(verdict)] = report.count(verdict);
    }
    out["waived"] = report.count(Verdict::Fail) - report.open_failures();
    const auto score = report.score();
    out["score"] = score ? Json(std::round(*score * 10) / 10) : Json();
    return with_names(out, "worst", worst_rules(report), is_cut);
}

std::string guard_summary(const guard::GuardStatus& status)
{
    Json out{{"version", 1}, {"summary", "guard"}, {"state", state_text(status)}};
    if (!status.loaded) {
        return line_of(out);
    }
    Decisions sum;
    sum.add(status.rules);
    sum.add(status.endpoints);
    const auto open = std::ranges::count_if(status.rows, [](const guard::RowStatus& row) { return !row.closed; });
    out["sealed"] = status.sealed;
    out["agent_running"] = status.agent_running;
    out["policy_digest"] = status.policy_digest;
    out["allowed"] = sum.allowed;
    out["denied"] = sum.denied;
    out["would_deny"] = sum.would_deny;
    out["imdsv1"] = status.requests.v1;
    out["open_rows"] = open;
    std::vector<std::string> missing;
    for (const auto& layer : status.layers) {
        if (layer.state != guard::LayerState::On) {
            missing.push_back(layer.name);
        }
    }
    return with_names(out, "layers_not_on", missing, false);
}

std::string run_summary(const report::RunResult& result)
{
    bool is_cut = false;
    Json out{{"version", 1}, {"summary", "report"}, {"id", result.report.id}, {"sequence", result.report.sequence}};
    out["instance_id"] = name_of(result.report.identity.instance_id, is_cut);
    out["identity_known"] = result.identity_problem.empty();
    out["all_sent"] = is_all_sent(result);
    report::SinkOutcome sum;
    std::vector<std::string> behind;
    for (const auto& sink : result.sinks) {
        sum.sent += sink.sent;
        sum.refused += sink.refused;
        sum.waiting += sink.waiting;
        if (sink.refused > 0 || sink.waiting > 0 || !sink.text.empty()) {
            behind.push_back(sink.sink);
        }
    }
    out["sent"] = sum.sent;
    out["refused"] = sum.refused;
    out["waiting"] = sum.waiting;
    return with_names(out, "sinks_behind", behind, is_cut);
}

std::string error_summary(std::string_view what, const Error& error)
{
    bool is_cut = false;
    const std::string text = shortened(error.text, kErrorBytesMax, is_cut); // the whole of it is on standard error
    return line_of({{"version", 1}, {"summary", what}, {"error", text}, {"truncated", is_cut}});
}

std::string bounded(const std::string& summary, std::string_view text, std::size_t chars_max, std::string_view how)
{
    if (summary.size() + text.size() <= chars_max) {
        return summary + std::string(text);
    }
    constexpr std::size_t kNoteBytesMax = 40; // "... and N more lines: ", N of 20 digits
    const std::size_t around = summary.size() + kNoteBytesMax + how.size() + 1;
    const std::size_t room = chars_max > around ? chars_max - around : 0;
    std::size_t end = room == 0 ? std::string_view::npos : text.rfind('\n', room - 1);
    end = end == std::string_view::npos ? 0 : end + 1;
    const std::string_view rest = text.substr(end);
    const auto lines = std::ranges::count(rest, '\n') + (rest.ends_with('\n') ? 0 : 1);
    return summary + std::string(text.substr(0, end)) + "... and " + std::to_string(lines) +
           " more lines: " + std::string(how) + "\n";
}

} // namespace hostward::cli
