// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/events_journal.h"

#include "agent/guard/events_record.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdint>

namespace hostward::guard {

namespace {

using Json = nlohmann::json;

constexpr std::string_view kMessageId = "dae889277cbb44f7ba88b5755f48f777"; // ours for ever, docs/events.md
constexpr std::string_view kFacilityDaemon = "3"; // what journald gives to the lines of services
constexpr std::string_view kPrefix = "HOSTWARD_";
/// Other in every line: nobody asks for one, and the journal would index each.
constexpr std::array<std::string_view, 3> kTimes{"time", "first", "last"};

void add_size(std::string& out, std::uint64_t size)
{
    for (unsigned byte = 0; byte < sizeof(size); ++byte) {
        out += static_cast<char>(size >> (8 * byte) & 0xffU);
    }
}

/// A value with a line break goes with its length, or it could pretend to be further fields.
void add(std::string& out, std::string_view name, std::string_view value)
{
    out.append(name);
    if (value.find('\n') == std::string_view::npos) {
        out.append("=");
    } else {
        out.append("\n");
        add_size(out, value.size());
    }
    out.append(value).append("\n");
}

std::string text_of(const Json& event, const char* name)
{
    const auto found = event.find(name);
    return found != event.end() && found->is_string() ? found->get<std::string>() : "";
}

/// syslog(3): a refusal is a warning, what would be refused is notable, the rest is information.
std::string_view priority_of(const std::string& decision)
{
    return decision == "deny" ? "4" : decision == "would-deny" ? "5" : "6";
}

/// By this, `journalctl -u UNIT` and `systemctl status UNIT` show to whom belongs the unit what it was refused. Not
/// OBJECT_PID: journald would look that up when it reads the entry, and the number may be another process's by then.
void add_object(std::string& out, const Json& event, const std::string& decision)
{
    const auto unit = unescape(text_of(event, "unit"));
    if (decision != "allow" && unit && !unit->empty()) {
        add(out, "OBJECT_SYSTEMD_UNIT", *unit);
    }
}

std::string field_name(const std::string& name)
{
    std::string out(kPrefix);
    for (const char c : name) {
        out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return out;
}

} // namespace

std::string journal_entry(std::string_view line)
{
    std::string out;
    add(out, "MESSAGE", line);
    add(out, "MESSAGE_ID", kMessageId);
    const Json event = Json::parse(line, nullptr, false);
    const std::string decision = text_of(event, "decision");
    add(out, "PRIORITY", priority_of(decision));
    add(out, "SYSLOG_FACILITY", kFacilityDaemon);
    add(out, "SYSLOG_IDENTIFIER", "hostward");
    add_object(out, event, decision);
    if (!event.is_object()) {
        return out;
    }
    for (const auto& [name, value] : event.items()) {
        if (!value.is_null() && std::ranges::find(kTimes, name) == kTimes.end()) {
            add(out, field_name(name), value.is_string() ? value.get<std::string>() : value.dump());
        }
    }
    return out;
}

} // namespace hostward::guard
