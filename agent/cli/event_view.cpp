// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/event_view.h"

#include "agent/base/terminal.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace hostward::cli {

namespace {

using nlohmann::json;

/// A value as text: strings as they are, numbers in decimal, everything else (null, absent) empty.
std::string field(const json& event, const char* name)
{
    const auto found = event.find(name);
    if (found == event.end()) {
        return "";
    }
    if (const auto* text = found->get_ptr<const std::string*>()) {
        return printable(*text);
    }
    return found->is_number_integer() ? found->dump() : "";
}

bool is_true(const json& event, const char* name)
{
    const auto found = event.find(name);
    return found != event.end() && found->is_boolean() && found->get<bool>();
}

std::string or_else(const std::string& text, const char* fallback) { return text.empty() ? fallback : text; }

std::string user_text(const json& event)
{
    const std::string uid = field(event, "uid");
    const std::string euid = field(event, "euid");
    if (uid.empty()) {
        return "no local caller";
    }
    const std::string name = field(event, "user");
    std::string text = name.empty() ? "uid " + uid : name;
    if (!euid.empty() && euid != uid) {
        text += " as uid " + euid;
    }
    return text;
}

/// As much of the id as the runtimes' own commands show and take.
std::string container_text(const json& event)
{
    constexpr std::size_t kShortId = 12;
    const std::string runtime = field(event, "container_runtime");
    const std::string pod = field(event, "pod_uid");
    std::string text = is_true(event, "container") ? "container" : "";
    if (!runtime.empty()) {
        text = runtime + " container";
        const std::string id = field(event, "container_id");
        text += id.empty() ? "" : " " + id.substr(0, kShortId);
    }
    return pod.empty() ? text : text + ", pod " + pod;
}

std::string place_text(const json& event)
{
    std::string text = field(event, "unit");
    if (text.empty()) {
        text = field(event, "cgroup");
    }
    const std::string container = container_text(event);
    if (!container.empty()) {
        text += text.empty() ? "a " + container : " (" + container + ")";
    }
    return text.empty() ? "" : " in " + text;
}

std::string cause_text(const json& event)
{
    const std::string rule = field(event, "rule");
    std::string text = rule.empty() ? or_else(field(event, "reason"), "unknown") : "rule " + rule;
    text += ", " + or_else(field(event, "hook"), "unknown hook");
    const std::string protocol = field(event, "protocol");
    const std::string pid = field(event, "pid");
    text += protocol.empty() ? "" : ", " + protocol;
    const std::string version = field(event, "imds_version");
    text += version.empty() ? "" : ", IMDS version " + version;
    text += pid.empty() ? "" : ", pid " + pid;
    return text;
}

} // namespace

bool is_event(const std::string& line) { return json::parse(line, nullptr, false).is_object(); }

std::optional<std::string> event_text(const std::string& line)
{
    const json event = json::parse(line, nullptr, false);
    if (!event.is_object() || field(event, "decision").empty()) {
        return std::nullopt;
    }
    std::string decision = field(event, "decision");
    decision.resize(std::max<std::size_t>(decision.size(), 10), ' ');
    std::string text = or_else(field(event, "time"), "-") + " " + decision + " " + user_text(event);
    text += " with " + or_else(field(event, "exe"), "unknown program") + place_text(event);
    text += " -> " + or_else(field(event, "endpoint"), "unknown endpoint") + " (" + cause_text(event) + ")";
    const std::string count = field(event, "count");
    return count.empty() || count == "1" ? text : text + " x" + count;
}

} // namespace hostward::cli
