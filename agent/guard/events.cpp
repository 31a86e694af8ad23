// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/events.h"

#include "agent/base/text.h"
#include "agent/guard/container.h"
#include "agent/guard/events_text.h"
#include "agent/guard/events_time.h"
#include "agent/guard/reasons.h"

#include <nlohmann/json.hpp>

namespace hostward::guard {

namespace {

using Json = nlohmann::ordered_json;

/// Outside text: printable UTF-8, everything else escaped, so that the JSON is valid whatever a file is called.
Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(escape(text)); }

Json name_or_null(const std::function<std::string(std::uint32_t)>& name, std::uint32_t id)
{
    return text_or_null(name ? name(id) : "");
}

bool has(const Flow& flow, std::uint32_t flag) { return (flow.key.who.flags & flag) != 0; }

/// A packet without a socket has no caller at all; the kernel then reports the uid of nobody.
bool has_socket(const Flow& flow)
{
    return flow.key.reason != HW_REASON_FORWARDED && flow.key.reason != HW_REASON_NO_SOCKET;
}

std::string decision_text(const hw_flow_key& key)
{
    if (key.verdict == HW_ALLOW) {
        return "allow";
    }
    return key.mode == HW_AUDIT ? "would-deny" : "deny";
}

void add_decision(const Flow& flow, const Names& names, Json& out)
{
    const auto& key = flow.key;
    const bool by_rule = key.rule != HW_NO_RULE && names.rule;
    out["decision"] = decision_text(key);
    out["reason"] = reason_wording(key.reason).name;
    out["rule"] = by_rule ? text_or_null(names.rule(key.rule, key.generation)) : Json(nullptr);
    out["endpoint"] = names.endpoint ? text_or_null(names.endpoint(key.endpoint, key.generation)) : Json(nullptr);
    out["hook"] = hook_wording(key.hook).name;
    out["protocol"] = key.protocol == 0 ? Json(nullptr) : Json(protocol_text(key.protocol));
    out["imds_version"] = text_or_null(std::string(imds_wording(key.imds).name));
}

/// What only the caller's own context shows: null when a packet was judged later.
void add_accounts(const Flow& flow, const Names& names, Json& out)
{
    const auto& who = flow.key.who;
    const bool known = !has(flow, HW_ID_SOCKET_ONLY);
    out["uid"] = has_socket(flow) ? Json(who.uid) : Json(nullptr);
    out["euid"] = known ? Json(who.euid) : Json(nullptr);
    out["gid"] = known ? Json(who.gid) : Json(nullptr);
    out["egid"] = known ? Json(who.egid) : Json(nullptr);
    out["user"] = has_socket(flow) ? name_or_null(names.user, who.uid) : Json(nullptr);
    out["group"] = known ? name_or_null(names.group, who.gid) : Json(nullptr);
}

void add_program(const Flow& flow, Json& out)
{
    const auto& who = flow.key.who;
    const bool known = !has(flow, HW_ID_SOCKET_ONLY) && !has(flow, HW_ID_NO_EXE);
    out["exe"] = known ? text_or_null(path_from_text(static_cast<const char*>(flow.value.exe), HW_TEXT_MAX)) : Json();
    out["exe_device"] = known ? Json(who.exe_device) : Json(nullptr);
    out["exe_inode"] = known ? Json(who.exe_inode) : Json(nullptr);
    out["exe_generation"] = known ? Json(who.exe_generation) : Json(nullptr);
    out["exe_untrusted"] = known ? Json(has(flow, HW_ID_EXE_UNTRUSTED)) : Json(nullptr);
}

/// A container's own name for itself is nobody's: only what the path of its cgroup says.
void add_container(const Flow& flow, const std::string& cgroup, Json& out)
{
    const bool known = !has(flow, HW_ID_SOCKET_ONLY);
    const Container container = known ? container_of(cgroup) : Container{};
    out["container"] = known ? Json(has(flow, HW_ID_CONTAINER)) : Json(nullptr);
    out["container_runtime"] = text_or_null(container.runtime);
    out["container_id"] = text_or_null(container.id);
    out["pod_uid"] = text_or_null(container.pod_uid);
}

void add_place(const Flow& flow, Json& out)
{
    const auto& who = flow.key.who;
    const bool known = !has(flow, HW_ID_SOCKET_ONLY);
    std::string cgroup = path_from_text(static_cast<const char*>(flow.value.cgroup), HW_TEXT_MAX);
    if (cgroup.empty() && known) {
        cgroup = "/"; // the guarded cgroup itself
    } else if (has(flow, HW_ID_CGROUP_DEPTH) && cgroup.starts_with('/')) {
        cgroup.insert(0, "..."); // the kernel looked at the lowest levels only
    }
    out["cgroup"] = known ? text_or_null(cgroup) : Json(nullptr);
    out["cgroup_id"] = who.cgroup_id == 0 ? Json(nullptr) : Json(who.cgroup_id);
    out["unit"] = known ? text_or_null(unit_of(cgroup)) : Json(nullptr);
    out["pid"] = known ? Json(flow.value.pid) : Json(nullptr);
    out["pid_ns"] = known ? Json(who.pid_ns) : Json(nullptr);
    out["net_ns"] = known ? Json(who.net_ns) : Json(nullptr);
    add_container(flow, cgroup, out);
}

std::string wall_text(std::uint64_t monotonic_ns, std::int64_t wall_offset_ns)
{
    return rfc3339(static_cast<std::int64_t>(monotonic_ns) + wall_offset_ns);
}

} // namespace

std::string event_line(const Flow& flow, const Names& names, std::int64_t wall_offset_ns)
{
    Json out;
    out["time"] = wall_text(flow.value.last_ns, wall_offset_ns);
    out["first"] = wall_text(flow.value.first_ns, wall_offset_ns);
    out["last"] = out["time"];
    out["count"] = flow.value.count;
    add_decision(flow, names, out);
    add_accounts(flow, names, out);
    add_program(flow, out);
    add_place(flow, out);
    out["generation"] = flow.key.generation;
    return out.dump();
}

} // namespace hostward::guard
