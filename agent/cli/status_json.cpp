// SPDX-License-Identifier: Apache-2.0
#include "agent/base/terminal.h"
#include "agent/base/text.h"
#include "agent/cli/status_view.h"

#include <nlohmann/json.hpp>

namespace hostward::cli {

namespace {

using Json = nlohmann::ordered_json;

const char* state_text(const guard::GuardStatus& status)
{
    if (!status.loaded) {
        return "absent";
    }
    return status.audit ? "audit" : "enforce";
}

Json layers_json(const std::vector<guard::LayerStatus>& layers)
{
    Json out = Json::array();
    for (const auto& layer : layers) {
        Json detail = Json::array();
        for (const auto& part : layer.detail) {
            detail.push_back(escape(part));
        }
        out.push_back({{"name", layer.name},
                       {"state", layer_state_text(layer.state)},
                       {"why", printable(layer.why)},
                       {"detail", detail}});
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

} // namespace

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

} // namespace hostward::cli
