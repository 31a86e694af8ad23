// SPDX-License-Identifier: Apache-2.0
#include "agent/base/terminal.h"
#include "agent/base/text.h"
#include "agent/cli/status_view.h"

#include <nlohmann/json.hpp>

namespace hostward::cli {

namespace {

using Json = nlohmann::ordered_json;

Json layer_json(const guard::LayerStatus& layer)
{
    return {{"name", layer.name}, {"state", layer_state_text(layer.state)}, {"why", printable(layer.why)}};
}

Json layers_json(const std::vector<guard::LayerStatus>& layers)
{
    Json out = Json::array();
    for (const auto& layer : layers) {
        out.push_back(layer_json(layer));
        Json& detail = out.back()["detail"] = Json::array();
        for (const auto& part : layer.detail) {
            detail.push_back(escape(part));
        }
    }
    return out;
}

Json requests_json(const guard::RequestCounts& requests)
{
    return {{"v1", requests.v1}, {"v2", requests.v2}, {"unknown", requests.unknown}};
}

Json rules_json(const std::vector<guard::RuleStatus>& rules)
{
    Json out = Json::array();
    for (const auto& rule : rules) {
        out.push_back({{"name", escape(rule.name)},
                       {"action", rule.allow ? "allow" : "deny"},
                       {"allowed", rule.allowed},
                       {"denied", rule.denied},
                       {"would_deny", rule.would_deny},
                       {"requests", requests_json(rule.requests)}});
    }
    return out;
}

Json endpoints_json(const std::vector<guard::EndpointStatus>& endpoints)
{
    Json out = Json::array();
    for (const auto& endpoint : endpoints) {
        out.push_back({{"name", escape(endpoint.name)},
                       {"default", endpoint.default_allow ? "allow" : "deny"},
                       {"allowed", endpoint.allowed},
                       {"denied", endpoint.denied},
                       {"would_deny", endpoint.would_deny},
                       {"requests", requests_json(endpoint.requests)}});
    }
    return out;
}

Json rows_json(const std::vector<guard::RowStatus>& rows)
{
    Json out = Json::array();
    for (const auto& row : rows) {
        out.push_back({{"id", row.id},
                       {"title", row.title},
                       {"closed", row.closed},
                       {"by", row.by},
                       {"why", printable(row.why)}});
    }
    return out;
}

/// An object even when it is empty.
Json numbers_json(const std::map<std::string, std::uint64_t>& numbers)
{
    Json out = Json::object();
    for (const auto& [name, number] : numbers) {
        out[name] = number;
    }
    return out;
}

/// Over all rules and endpoints.
struct Decisions {
    std::uint64_t allowed = 0;
    std::uint64_t denied = 0;
    std::uint64_t would_deny = 0;

    template <typename Counts> void add(const Counts& counts)
    {
        allowed += counts.allowed;
        denied += counts.denied;
        would_deny += counts.would_deny;
    }
};

Json loaded_json(const guard::GuardStatus& status)
{
    Decisions sum;
    for (const auto& rule : status.rules) {
        sum.add(rule);
    }
    for (const auto& endpoint : status.endpoints) {
        sum.add(endpoint);
    }
    Json layers = Json::array();
    for (const auto& layer : status.layers) {
        layers.push_back(layer_json(layer));
    }
    return {{"known", true},
            {"loaded", true},
            {"mode", status.audit ? "audit" : "enforce"},
            {"sealed", status.sealed},
            {"policy_digest", status.policy_digest},
            {"layers", layers},
            {"allowed", sum.allowed},
            {"denied", sum.denied},
            {"would_deny", sum.would_deny},
            {"requests", requests_json(status.requests)},
            {"reasons", numbers_json(status.reasons)}};
}

} // namespace

const char* state_text(const guard::GuardStatus& status)
{
    if (!status.loaded) {
        return "absent";
    }
    return status.audit ? "audit" : "enforce";
}

std::string status_json(const guard::GuardStatus& status)
{
    Json out;
    out["version"] = 1;
    out["state"] = state_text(status);
    out["generation"] = status.generation;
    out["policy_digest"] = status.policy_digest;
    out["cgroup"] = escape(status.cgroup);
    out["sealed"] = status.sealed;
    out["agent"] = {{"running", status.agent_running}, {"pid", status.agent_pid}};
    out["layers"] = layers_json(status.layers);
    out["rules"] = rules_json(status.rules);
    out["endpoints"] = endpoints_json(status.endpoints);
    out["requests"] = requests_json(status.requests);
    out["reasons"] = numbers_json(status.reasons);
    out["lost"] = numbers_json(status.lost);
    out["rows"] = rows_json(status.rows);
    return out.dump() + "\n";
}

std::string posture_guard_json(const Result<guard::GuardStatus>& status)
{
    const Json out = !status          ? Json{{"known", false}, {"why", printable(status.error().text)}}
                     : status->loaded ? loaded_json(*status)
                                      : Json{{"known", true}, {"loaded", false}};
    return out.dump();
}

} // namespace hostward::cli
