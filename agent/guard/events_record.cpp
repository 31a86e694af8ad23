// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/events_record.h"

#include "agent/base/text.h"
#include "agent/guard/events_time.h"

#include <nlohmann/json.hpp>

#include <array>
#include <limits>
#include <utility>

namespace hostward::guard {

namespace {

using Json = nlohmann::json;

const Json* member(const Json& event, const char* name)
{
    const auto found = event.find(name);
    return found == event.end() ? nullptr : &*found;
}

/// A string as it was before it was escaped. Absent, null and what escape() cannot have written: empty.
std::string text(const Json& event, const char* name)
{
    const Json* value = member(event, name);
    const auto* escaped = value == nullptr ? nullptr : value->get_ptr<const std::string*>();
    return escaped == nullptr ? "" : unescape(*escaped).value_or("");
}

template <typename T> std::optional<T> number(const Json& event, const char* name)
{
    const Json* value = member(event, name);
    if (value == nullptr || !value->is_number_unsigned() ||
        value->get<std::uint64_t>() > std::numeric_limits<T>::max()) {
        return std::nullopt;
    }
    return static_cast<T>(value->get<std::uint64_t>());
}

/// Nothing where there is no such field, or it is null.
std::optional<bool> flag(const Json& event, const char* name)
{
    const Json* value = member(event, name);
    return value == nullptr || !value->is_boolean() ? std::nullopt : std::optional(value->get<bool>());
}

std::optional<Outcome> outcome(const Json& event)
{
    constexpr std::array<std::pair<std::string_view, Outcome>, 3> kOutcomes{
        {{"allow", Outcome::Allow}, {"deny", Outcome::Deny}, {"would-deny", Outcome::WouldDeny}}};
    const std::string name = text(event, "decision");
    for (const auto& [known, value] : kOutcomes) {
        if (name == known) {
            return value;
        }
    }
    return std::nullopt;
}

std::optional<ExeFact> exe_fact(const Json& event)
{
    const auto inode = number<std::uint64_t>(event, "exe_inode");
    const auto device = number<std::uint32_t>(event, "exe_device");
    const auto generation = number<std::uint32_t>(event, "exe_generation");
    if (!inode || !device || !generation) {
        return std::nullopt;
    }
    return ExeFact{*inode, *device, *generation};
}

void read_caller(const Json& event, EventRecord& out)
{
    out.uid = number<std::uint32_t>(event, "uid");
    out.euid = number<std::uint32_t>(event, "euid");
    out.gid = number<std::uint32_t>(event, "gid");
    out.user = text(event, "user");
    out.exe = text(event, "exe");
    out.exe_fact = exe_fact(event);
    const auto untrusted = flag(event, "exe_untrusted");
    out.exe_trust_known = untrusted.has_value();
    out.exe_untrusted = untrusted.value_or(out.exe_fact.has_value()); // not known is not trusted
    out.cgroup = text(event, "cgroup");
    out.unit = text(event, "unit");
    out.pid = number<std::int64_t>(event, "pid");
    const auto container = flag(event, "container");
    out.container_known = container.has_value();
    out.container = container.value_or(false);
}

std::string imds_version(const Json& event)
{
    const auto as_number = number<std::uint32_t>(event, "imds_version");
    return as_number ? std::to_string(*as_number) : text(event, "imds_version");
}

} // namespace

std::optional<EventRecord> parse_event(std::string_view line)
{
    const Json event = Json::parse(line, nullptr, false);
    if (!event.is_object()) {
        return std::nullopt;
    }
    const auto decided = outcome(event);
    const auto count = number<std::uint64_t>(event, "count");
    const auto first = parse_rfc3339(text(event, "first"));
    const auto last = parse_rfc3339(text(event, "time"));
    if (!decided || !count || *count == 0 || !first || !last) {
        return std::nullopt;
    }
    EventRecord out;
    out.outcome = *decided;
    out.count = *count;
    out.first_ns = *first;
    out.last_ns = *last;
    out.reason = text(event, "reason");
    out.rule = text(event, "rule");
    out.endpoint = text(event, "endpoint");
    out.hook = text(event, "hook");
    read_caller(event, out);
    out.imds_version = imds_version(event);
    return out;
}

Caller caller_of(const EventRecord& event, std::vector<std::uint32_t> groups)
{
    constexpr std::uint32_t kNoId = 0xffffffff; // no account has it
    Caller out;
    out.uid = event.uid.value_or(kNoId);
    out.euid = event.euid.value_or(kNoId);
    out.gid = event.gid.value_or(kNoId);
    out.groups = std::move(groups);
    out.exe = event.exe_untrusted ? std::nullopt : event.exe_fact;
    out.cgroup_path = event.cgroup == "/" ? "" : event.cgroup;
    out.container = event.container;
    out.kernel_thread = event.reason == "kernel_thread";
    return out;
}

std::string user_text(const EventRecord& event)
{
    if (!event.uid) {
        return "";
    }
    const std::string uid = "uid " + std::to_string(*event.uid);
    std::string text = event.user.empty() ? uid : event.user + " (" + uid + ")";
    if (event.euid && *event.euid != *event.uid) {
        text += " as uid " + std::to_string(*event.euid);
    }
    return text;
}

std::optional<std::string> unescape(std::string_view escaped)
{
    std::string out;
    while (!escaped.empty()) {
        if (escaped[0] != '\\') {
            out += escaped[0];
            escaped.remove_prefix(1);
            continue;
        }
        const char kind = escaped.size() < 2 ? '\0' : escaped[1];
        const auto byte =
            kind == 'x' && escaped.size() >= 4 ? parse_number<unsigned>(escaped.substr(2, 2), 16) : std::nullopt;
        if (kind != '\\' && kind != '"' && !byte) {
            return std::nullopt;
        }
        out += byte ? static_cast<char>(*byte) : kind;
        escaped.remove_prefix(byte ? 4 : 2);
    }
    return out;
}

} // namespace hostward::guard
