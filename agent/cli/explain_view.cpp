// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/explain_view.h"

#include "agent/base/terminal.h"
#include "agent/base/text.h"
#include "agent/guard/reasons.h"

#include <nlohmann/json.hpp>

#include <arpa/inet.h>

#include <array>

namespace hostward::cli {

namespace {

using Json = nlohmann::ordered_json;

std::optional<hw_fact_key> address_key(const std::string& text)
{
    std::array<unsigned char, 16> bytes{};
    if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) {
        return guard::endpoint_key(bytes.data(), 4);
    }
    if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) {
        return guard::endpoint_key(bytes.data(), bytes.size());
    }
    return std::nullopt;
}

bool is_audit(const guard::CompiledPolicy& policy) { return policy.head.mode == HW_AUDIT; }

std::string id_text(std::uint32_t id) { return id == 0xffffffff ? "unknown" : std::to_string(id); }

std::string caller_text(const Subject& subject)
{
    const auto& caller = subject.caller;
    std::string out = "caller: uid " + std::to_string(caller.uid);
    out += caller.euid == caller.uid ? "" : " (effective " + std::to_string(caller.euid) + ")";
    out += ", gid " + id_text(caller.gid);
    for (const auto group : caller.groups) {
        out += (group == caller.groups.front() ? ", groups " : " ") + std::to_string(group);
    }
    out += "\n        program " + (subject.program.empty() ? "none" : quote(subject.program));
    out += "\n        cgroup " + quote(caller.cgroup_path.empty() ? "/" : caller.cgroup_path);
    return out + (caller.container ? ", in a container\n" : ", on the host\n");
}

std::string trace_text(const Explanation& explanation, const guard::CompiledPolicy& policy)
{
    std::string out;
    for (const auto& step : explanation.trace) {
        out += "rule " + quote(policy.rule_names[step.rule]) + ": ";
        out += step.matched ? "matches\n" : step.failed + " does not match\n";
    }
    return out;
}

std::string verdict_text(const Explanation& explanation, const guard::CompiledPolicy& policy)
{
    const auto& decision = explanation.decision;
    std::string out = std::string(guard::verdict_wording(decision.verdict).name) + ": ";
    if (decision.rule != HW_NO_RULE) {
        out += "rule " + quote(policy.rule_names[decision.rule]);
    } else {
        out += guard::reason_wording(decision.reason).text;
    }
    const bool passes = decision.verdict != HW_ALLOW && is_audit(policy);
    return out + (passes ? "\n(audit mode: recorded and let pass)\n" : "\n");
}

Json caller_json(const Subject& subject)
{
    const auto& caller = subject.caller;
    Json out{{"uid", caller.uid}, {"euid", caller.euid}, {"gid", caller.gid}, {"groups", caller.groups}};
    out["exe"] = subject.program.empty() ? Json(nullptr) : Json(escape(subject.program));
    out["cgroup"] = escape(caller.cgroup_path.empty() ? "/" : caller.cgroup_path);
    out["container"] = caller.container;
    out["kernel_thread"] = caller.kernel_thread;
    return out;
}

Json trace_json(const Explanation& explanation, const guard::CompiledPolicy& policy)
{
    Json out = Json::array();
    for (const auto& step : explanation.trace) {
        out.push_back({{"rule", policy.rule_names[step.rule]},
                       {"matched", step.matched},
                       {"failed", step.matched ? Json(nullptr) : Json(step.failed)}});
    }
    return out;
}

} // namespace

Result<Explanation> explain(const guard::CompiledPolicy& policy, Subject subject, const std::string& address)
{
    const auto key = address_key(address);
    if (!key) {
        return invalid_error("--address " + quote(address) + " is neither an IPv4 nor an IPv6 address");
    }
    Explanation out{std::move(subject), address, guard::endpoint_of(policy, *key), {}, {}};
    if (out.endpoint) {
        out.decision = guard::decide(policy, out.subject.caller, *out.endpoint);
        out.trace = guard::trace(policy, out.subject.caller, *out.endpoint);
    }
    return out;
}

std::string explain_text(const Explanation& explanation, const guard::CompiledPolicy& policy)
{
    std::string out = caller_text(explanation.subject);
    for (const auto& note : explanation.subject.notes) {
        out += "note: " + note + "\n";
    }
    if (!explanation.endpoint) {
        return out + "allow: " + escape(explanation.address) + " is not guarded\n";
    }
    out += "address: " + escape(explanation.address) + ", endpoint " +
           quote(policy.endpoint_names[*explanation.endpoint]) + "\n";
    return out + trace_text(explanation, policy) + verdict_text(explanation, policy);
}

std::string explain_json(const Explanation& explanation, const guard::CompiledPolicy& policy)
{
    const auto& decision = explanation.decision;
    const bool by_rule = explanation.endpoint && decision.rule != HW_NO_RULE;
    Json out{{"version", 1}, {"address", escape(explanation.address)}};
    out["endpoint"] = explanation.endpoint ? Json(policy.endpoint_names[*explanation.endpoint]) : Json(nullptr);
    out["decision"] = explanation.endpoint ? guard::verdict_wording(decision.verdict).name : "allow";
    out["reason"] = explanation.endpoint ? Json(guard::reason_wording(decision.reason).name) : Json(nullptr);
    out["rule"] = by_rule ? Json(policy.rule_names[decision.rule]) : Json(nullptr);
    out["mode"] = is_audit(policy) ? "audit" : "enforce";
    out["caller"] = caller_json(explanation.subject);
    out["trace"] = trace_json(explanation, policy);
    out["notes"] = Json::array();
    for (const auto& note : explanation.subject.notes) {
        out["notes"].push_back(printable(note));
    }
    return out.dump() + "\n";
}

} // namespace hostward::cli
