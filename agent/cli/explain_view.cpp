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

const config::Rule& rule_of(const PolicyFile& file, std::uint32_t index) { return file.config.rules[index]; }

/// `rule "a" (FILE:LINE)`
std::string named(const config::Rule& rule)
{
    return "rule " + quote(rule.name) + " (" + rule.place.text() +
           (rule.preset.empty() ? ")" : ", preset " + quote(rule.preset) + ")");
}

std::string asked_text(const Asked& asked)
{
    const char* const state = !asked.is_loaded   ? ", perhaps not the one that is loaded"
                              : *asked.is_loaded ? ", which is loaded"
                                                 : ", which is not loaded";
    return "policy: " + quote(asked.file) + state + "\n";
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

std::string trace_text(const Explanation& explanation, const PolicyFile& file)
{
    std::string out;
    for (const auto& step : explanation.trace) {
        out += named(rule_of(file, step.rule)) + ": ";
        out += step.matched ? "matches\n" : step.failed + " does not match\n";
    }
    return out;
}

std::string verdict_text(const Explanation& explanation, const PolicyFile& file)
{
    const auto& decision = explanation.decision;
    std::string out = std::string(guard::verdict_wording(decision.verdict).name) + ": ";
    if (decision.rule != HW_NO_RULE) {
        const auto& rule = rule_of(file, decision.rule);
        out += named(rule) + (rule.why.empty() ? "" : "\nwhy: " + printable(rule.why));
    } else {
        out += guard::reason_wording(decision.reason).text;
    }
    const bool passes = decision.verdict != HW_ALLOW && is_audit(file.policy);
    return out + (passes ? "\n(audit mode: recorded and let pass)\n" : "\n");
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(printable(text)); }

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

Json trace_json(const Explanation& explanation, const PolicyFile& file)
{
    Json out = Json::array();
    for (const auto& step : explanation.trace) {
        const auto& rule = rule_of(file, step.rule);
        out.push_back({{"rule", rule.name},
                       {"matched", step.matched},
                       {"failed", step.matched ? Json(nullptr) : Json(step.failed)},
                       {"place", rule.place.text()},
                       {"preset", text_or_null(rule.preset)},
                       {"why", text_or_null(rule.why)}});
    }
    return out;
}

Json asked_json(const Asked& asked)
{
    return {{"file", escape(asked.file)}, {"loaded", asked.is_loaded ? Json(*asked.is_loaded) : Json(nullptr)}};
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

std::string explain_text(const Explanation& explanation, const Asked& asked, const PolicyFile& file)
{
    std::string out = asked_text(asked) + caller_text(explanation.subject);
    for (const auto& note : explanation.subject.notes) {
        out += "note: " + note + "\n";
    }
    if (!explanation.endpoint) {
        return out + "allow: " + escape(explanation.address) + " is not guarded\n";
    }
    out += "address: " + escape(explanation.address) + ", endpoint " +
           quote(file.policy.endpoint_names[*explanation.endpoint]) + "\n";
    return out + trace_text(explanation, file) + verdict_text(explanation, file);
}

std::string explain_json(const Explanation& explanation, const Asked& asked, const PolicyFile& file)
{
    const auto& decision = explanation.decision;
    const bool by_rule = explanation.endpoint && decision.rule != HW_NO_RULE;
    const auto* rule = by_rule ? &rule_of(file, decision.rule) : nullptr;
    const auto& names = file.policy.endpoint_names;
    Json out{{"version", 1}, {"address", escape(explanation.address)}};
    out["endpoint"] = explanation.endpoint ? Json(names[*explanation.endpoint]) : Json(nullptr);
    out["decision"] = explanation.endpoint ? guard::verdict_wording(decision.verdict).name : "allow";
    out["reason"] = explanation.endpoint ? Json(guard::reason_wording(decision.reason).name) : Json(nullptr);
    out["rule"] = by_rule ? Json(rule->name) : Json(nullptr);
    out["why"] = by_rule ? text_or_null(rule->why) : Json(nullptr);
    out["place"] = by_rule ? Json(rule->place.text()) : Json(nullptr);
    out["mode"] = is_audit(file.policy) ? "audit" : "enforce";
    out["policy"] = asked_json(asked);
    out["caller"] = caller_json(explanation.subject);
    out["trace"] = trace_json(explanation, file);
    out["notes"] = Json::array();
    for (const auto& note : explanation.subject.notes) {
        out["notes"].push_back(printable(note));
    }
    return out.dump() + "\n";
}

} // namespace hostward::cli
