// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/report_view.h"

#include "agent/base/terminal.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace hostward::cli {

namespace {

using Json = nlohmann::ordered_json;

std::string sink_line(const report::SinkOutcome& sink, std::size_t width)
{
    std::string out = "  " + sink.sink;
    out.resize(width + 2, ' ');
    out += "  sent " + std::to_string(sink.sent);
    out += sink.refused == 0 ? "" : ", refused " + std::to_string(sink.refused);
    out += sink.waiting == 0 ? "" : ", waiting " + std::to_string(sink.waiting);
    out += sink.text.empty() ? "" : ": " + printable(sink.text);
    return out + "\n";
}

} // namespace

std::string run_text(const report::RunResult& result)
{
    const auto& report = result.report;
    std::string out = "report " + report.id + ", number " + std::to_string(report.sequence);
    if (result.identity_problem.empty()) {
        out += ", of " + printable(report.identity.instance_id) + " in " + printable(report.identity.region) +
               ", account " + printable(report.identity.account_id) + "\n";
    } else {
        out += ", of an unknown instance: " + printable(result.identity_problem) + "\n";
    }
    std::size_t width = 0;
    for (const auto& sink : result.sinks) {
        width = std::max(width, sink.sink.size());
    }
    for (const auto& sink : result.sinks) {
        out += sink_line(sink, width);
    }
    return out;
}

std::string run_json(const report::RunResult& result)
{
    Json out{{"version", 1},
             {"id", result.report.id},
             {"sequence", result.report.sequence},
             {"instance_id", printable(result.report.identity.instance_id)},
             {"identity_problem", printable(result.identity_problem)},
             {"sinks", Json::array()}};
    for (const auto& sink : result.sinks) {
        out["sinks"].push_back({{"name", sink.sink},
                                {"sent", sink.sent},
                                {"refused", sink.refused},
                                {"waiting", sink.waiting},
                                {"text", printable(sink.text)}});
    }
    return out.dump() + "\n";
}

bool is_all_sent(const report::RunResult& result)
{
    return std::ranges::all_of(result.sinks, [](const report::SinkOutcome& sink) {
        return sink.refused == 0 && sink.waiting == 0 && sink.text.empty();
    });
}

} // namespace hostward::cli
