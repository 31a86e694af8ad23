// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/metrics_text.h"

#include "agent/base/text.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace hostward::guard {

namespace {

enum Id : std::size_t {
    BuildInfo,
    Readable,
    Loaded,
    ModeIs,
    Sealed,
    PolicyInfo,
    PolicyGeneration,
    PolicyLoaded,
    Rules,
    LayerActive,
    WaysOpen,
    Decisions,
    Denials,
    Lost,
    Requests,
    RuleRequests,
    AgentRunning,
    AgentStart,
    LinesLost,
    LiveLinesLost,
    Suppressed,
    Count,
};

constexpr std::array<Metric, Count> kMetrics{{
    {"hostward_build_info", "gauge", "1; the label says which version of hostward wrote this."},
    {"hostward_guard_readable", "gauge", "1: the guard's state could be read. 0: nothing below is known."},
    {"hostward_guard_loaded", "gauge", "1: the guard is loaded in the kernel."},
    {"hostward_guard_mode", "gauge", "1 for the mode in force: enforce, or audit, which lets everything pass."},
    {"hostward_guard_sealed", "gauge", "1: sealed until the next boot."},
    {"hostward_guard_policy_info", "gauge", "1; the label is the SHA-256 of the policy in force."},
    {"hostward_guard_policy_generation", "gauge", "Number of the policy in force since the guard was loaded."},
    {"hostward_guard_policy_load_timestamp_seconds", "gauge", "When the policy in force was loaded."},
    {"hostward_guard_rules", "gauge", "Rules of the policy in force."},
    {"hostward_guard_layer_active", "gauge", "1: every program of the layer is attached."},
    {"hostward_guard_ways_open", "gauge", "Known ways around the guard that are open on this host."},
    {"hostward_guard_decisions_total", "counter",
     "Decisions by the rule that made them, or by the endpoint whose default did."},
    {"hostward_guard_denials_total", "counter", "Denials by reason; in audit mode what would have been denied."},
    {"hostward_guard_lost_total", "counter", "What was counted and has no event of its own."},
    {"hostward_guard_imds_requests_total", "counter",
     "Requests to the metadata service by version: 1 carries no token, unknown could not be read."},
    {"hostward_guard_rule_imds_requests_total", "counter",
     "The same by the rule, or the endpoint's default, that had let the connection pass."},
    {"hostward_guard_agent_running", "gauge", "1: an agent writes events."},
    {"hostward_agent_start_time_seconds", "gauge", "When the agent started."},
    {"hostward_agent_event_lines_lost_total", "counter", "Event lines that could not be written to the file."},
    {"hostward_agent_live_event_lines_lost_total", "counter",
     "Event lines that reached neither the journal nor standard output."},
    {"hostward_agent_decisions_suppressed_total", "counter",
     "Decisions that are in no event line because too many callers asked at once."},
}};

/// Names and values of labels.
using Labels = std::vector<std::pair<std::string_view, std::string>>;

/// The format escapes backslash, double quote and newline. Control characters and what is no UTF-8 would still break
/// it: those are made visible first.
std::string label_value(std::string_view raw)
{
    std::string out;
    for (const char c : escape(raw)) {
        out += c == '\\' || c == '"' ? std::string{'\\', c} : std::string(1, c);
    }
    return out;
}

class Text {
public:
    void begin(Id id)
    {
        name_ = kMetrics[id].name;
        out_.append("# HELP ").append(name_).append(" ").append(kMetrics[id].help).append("\n");
        out_.append("# TYPE ").append(name_).append(" ").append(kMetrics[id].type).append("\n");
    }

    void sample(const Labels& labels, const std::string& value)
    {
        std::string list;
        for (const auto& [name, text] : labels) {
            list.append(list.empty() ? "{" : ",").append(name).append("=\"").append(label_value(text)).append("\"");
        }
        out_.append(name_).append(list).append(list.empty() ? " " : "} ").append(value).append("\n");
    }
    void sample(const Labels& labels, std::uint64_t value) { sample(labels, std::to_string(value)); }

    /// A metric of one sample.
    void single(Id id, std::uint64_t value)
    {
        begin(id);
        sample({}, value);
    }

    [[nodiscard]] std::string take() { return std::move(out_); }

private:
    std::string_view name_;
    std::string out_;
};

/// All three, zeros too: a counter that only appears with its first event has no rate at that moment.
template <typename Counts>
void add_decisions(Text& text, const std::string& rule, const std::string& endpoint, const Counts& counts)
{
    text.sample({{"rule", rule}, {"endpoint", endpoint}, {"decision", "allow"}}, counts.allowed);
    text.sample({{"rule", rule}, {"endpoint", endpoint}, {"decision", "deny"}}, counts.denied);
    text.sample({{"rule", rule}, {"endpoint", endpoint}, {"decision", "would-deny"}}, counts.would_deny);
}

void add_requests(Text& text, Labels labels, const RequestCounts& requests)
{
    labels.emplace_back("version", "");
    for (const auto& [version, count] :
         {std::pair("1", requests.v1), std::pair("2", requests.v2), std::pair("unknown", requests.unknown)}) {
        labels.back().second = version;
        text.sample(labels, count);
    }
}

void add_policy(Text& text, const GuardStatus& status)
{
    text.begin(ModeIs);
    text.sample({{"mode", "enforce"}}, status.audit ? 0 : 1);
    text.sample({{"mode", "audit"}}, status.audit ? 1 : 0);
    text.single(Sealed, status.sealed ? 1 : 0);
    text.begin(PolicyInfo);
    text.sample({{"digest", status.policy_digest}}, 1);
    text.single(PolicyGeneration, status.generation);
    text.single(PolicyLoaded, status.loaded_at);
    text.single(Rules, status.rules.size());
    text.begin(LayerActive);
    for (const auto& layer : status.layers) {
        text.sample({{"layer", layer.name}}, layer.state == LayerState::On ? 1 : 0);
    }
    const auto open = std::ranges::count(status.rows, false, &RowStatus::closed);
    text.single(WaysOpen, static_cast<std::uint64_t>(open));
}

void add_numbers(Text& text, Id id, std::string_view label, const std::map<std::string, std::uint64_t>& numbers)
{
    text.begin(id);
    for (const auto& [name, value] : numbers) {
        text.sample({{label, name}}, value);
    }
}

void add_counters(Text& text, const GuardStatus& status)
{
    text.begin(Decisions);
    for (const auto& rule : status.rules) {
        add_decisions(text, rule.name, "", rule);
    }
    for (const auto& endpoint : status.endpoints) {
        add_decisions(text, "", endpoint.name, endpoint);
    }
    add_numbers(text, Denials, "reason", status.reasons);
    add_numbers(text, Lost, "reason", status.lost);
    text.begin(Requests);
    add_requests(text, {}, status.requests);
    text.begin(RuleRequests);
    for (const auto& rule : status.rules) {
        add_requests(text, {{"rule", rule.name}, {"endpoint", ""}}, rule.requests);
    }
    for (const auto& endpoint : status.endpoints) {
        add_requests(text, {{"rule", ""}, {"endpoint", endpoint.name}}, endpoint.requests);
    }
}

} // namespace

std::span<const Metric> metrics() { return kMetrics; }

std::string metrics_text(const std::optional<GuardStatus>& status, std::string_view version,
                         const std::optional<AgentFacts>& agent)
{
    Text text;
    text.begin(BuildInfo);
    text.sample({{"version", std::string(version)}}, 1);
    text.single(Readable, status ? 1 : 0);
    if (status) {
        text.single(Loaded, status->loaded ? 1 : 0);
    }
    if (status && status->loaded) {
        add_policy(text, *status);
        add_counters(text, *status);
    }
    if (status) {
        text.single(AgentRunning, status->agent_running ? 1 : 0);
    }
    if (agent) {
        text.single(AgentStart, static_cast<std::uint64_t>(agent->started_at));
        text.single(LinesLost, agent->lines_lost);
        text.single(LiveLinesLost, agent->live_lines_lost);
        text.single(Suppressed, agent->decisions_suppressed);
    }
    return text.take();
}

} // namespace hostward::guard
