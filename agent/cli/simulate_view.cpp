// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/simulate_view.h"

#include "agent/base/terminal.h"
#include "agent/base/text.h"
#include "agent/guard/events_time.h"
#include "agent/guard/reasons.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace hostward::cli {

namespace {

using guard::Cause;
using guard::Simulated;
using guard::Simulation;
using guard::Tally;
using Json = nlohmann::ordered_json;

std::string count_text(std::uint64_t count, const char* what)
{
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string tally_text(const Tally& tally)
{
    if (tally.empty()) {
        return "none";
    }
    const std::string requests = tally.requests == 0 ? "" : ", " + count_text(tally.requests, "request");
    return count_text(tally.decisions, "decision") + requests;
}

std::string period_text(const Tally& tally)
{
    const std::string last = guard::rfc3339(tally.last_ns);
    return tally.first_ns == tally.last_ns ? "at " + last : guard::rfc3339(tally.first_ns) + " to " + last;
}

const char* verdict_name(bool allowed) { return allowed ? "allow" : "deny"; }

bool is_audit(const PolicyFile& file) { return file.config.mode == config::Mode::Audit; }

/// The rule of the policy simulated; none: that of another one, or no rule.
const config::Rule* rule_of(const PolicyFile& file, const std::string& name)
{
    const auto found = std::ranges::find(file.config.rules, name, &config::Rule::name);
    return found == file.config.rules.end() ? nullptr : &*found;
}

std::string cause_text(const Cause& cause)
{
    if (!cause.rule.empty()) {
        return "rule " + quote(cause.rule);
    }
    const auto reason = guard::reason_number(cause.reason);
    if (!reason) {
        return cause.reason.empty() ? "it cannot be told by which rule" : "reason " + quote(cause.reason);
    }
    return std::string(guard::reason_wording(*reason).text);
}

std::string now_text(const Cause& cause, const PolicyFile& file)
{
    const auto* rule = cause.rule.empty() ? nullptr : rule_of(file, cause.rule);
    return cause_text(cause) + (rule == nullptr ? "" : " (" + rule->place.text() + ")");
}

std::string who_text(const Simulated& entry)
{
    std::string out = entry.user.empty() ? "no known caller" : escape(entry.user);
    out += " with " + (entry.exe.empty() ? "unknown program" : quote(entry.exe));
    out += entry.place.empty() ? "" : " in " + quote(entry.place);
    out += entry.container ? " (container)" : "";
    return out + " -> " + (entry.endpoint.empty() ? "unknown endpoint" : escape(entry.endpoint));
}

std::string entry_text(const Simulated& entry, const PolicyFile& file)
{
    std::string out = "  " + who_text(entry) + "\n";
    out += "    " + tally_text(entry.seen) + ", " + period_text(entry.seen) + "\n";
    out += "    was: " + std::string(verdict_name(entry.was_allowed)) + ", " + cause_text(entry.was) + "\n";
    if (!entry.why.empty()) {
        return out + "    now: cannot tell: " + printable(entry.why) + "\n";
    }
    return out + "    now: " + verdict_name(!entry.was_allowed) + ", " + now_text(entry.now, file) + "\n";
}

std::string list_text(const char* label, const Tally& sum, const std::vector<Simulated>& entries,
                      const PolicyFile& file)
{
    std::string out = std::string(label) + tally_text(sum) + "\n";
    for (const auto& entry : entries) {
        out += entry_text(entry, file);
    }
    return out;
}

/// What has to be known about the answer, one sentence each.
std::vector<std::string> notes_of(const Simulation& simulation, const PolicyFile& file)
{
    std::vector<std::string> out;
    if (simulation.all.empty()) {
        out.emplace_back("no decision is recorded: it cannot be told what this policy would change");
    }
    if (simulation.damaged_lines > 0) {
        out.push_back(count_text(simulation.damaged_lines, "line") + " cannot be read and may hold more decisions");
    }
    if (is_audit(file)) {
        out.emplace_back("this policy is in audit mode: what it denies is recorded and let pass");
    } else if (!simulation.passed_in_audit.empty()) {
        out.push_back("of what stays denied, audit mode let pass and this policy refuses: " +
                      tally_text(simulation.passed_in_audit));
    }
    if (!simulation.by_groups.empty()) {
        out.push_back("supplementary groups are not recorded, those of the account files were taken; on them hang: " +
                      tally_text(simulation.by_groups));
    }
    for (const auto& endpoint : simulation.unseen_endpoints) {
        out.push_back("nothing is recorded about endpoint " + quote(endpoint) + ": who asks there is not known");
    }
    if (!simulation.unlisted.empty()) {
        out.push_back("of callers that are not listed: " + tally_text(simulation.unlisted));
    }
    return out;
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(escape(text)); }

Json tally_json(const Tally& tally)
{
    return {{"decisions", tally.decisions},
            {"requests", tally.requests},
            {"first", tally.empty() ? Json(nullptr) : Json(guard::rfc3339(tally.first_ns))},
            {"last", tally.empty() ? Json(nullptr) : Json(guard::rfc3339(tally.last_ns))}};
}

Json cause_json(bool allowed, const Cause& cause)
{
    return {{"decision", verdict_name(allowed)},
            {"reason", text_or_null(cause.reason)},
            {"rule", text_or_null(cause.rule)}};
}

Json now_json(const Simulated& entry, const PolicyFile& file)
{
    if (!entry.why.empty()) {
        return nullptr;
    }
    Json out = cause_json(!entry.was_allowed, entry.now);
    const auto* rule = entry.now.rule.empty() ? nullptr : rule_of(file, entry.now.rule);
    out["place"] = rule == nullptr ? Json(nullptr) : Json(rule->place.text());
    return out;
}

Json entry_json(const Simulated& entry, const PolicyFile& file)
{
    return {{"user", text_or_null(entry.user)},
            {"exe", text_or_null(entry.exe)},
            {"place", text_or_null(entry.place)},
            {"container", entry.container},
            {"endpoint", text_or_null(entry.endpoint)},
            {"was", cause_json(entry.was_allowed, entry.was)},
            {"now", now_json(entry, file)},
            {"why", entry.why.empty() ? Json(nullptr) : Json(printable(entry.why))},
            {"seen", tally_json(entry.seen)}};
}

Json list_json(const Tally& sum, const std::vector<Simulated>& entries, const PolicyFile& file)
{
    Json out{{"total", tally_json(sum)}, {"callers", Json::array()}};
    for (const auto& entry : entries) {
        out["callers"].push_back(entry_json(entry, file));
    }
    return out;
}

Json lines_json(const std::vector<std::string>& lines)
{
    Json out = Json::array();
    for (const auto& line : lines) {
        out.push_back(printable(line));
    }
    return out;
}

const char* result_name(const Simulation& simulation)
{
    const ExitCode code = simulation_exit_code(simulation);
    return code == ExitCode::Ok ? "unchanged" : code == ExitCode::Changes ? "changes" : "cannot-tell";
}

} // namespace

std::string simulation_text(const Simulation& simulation, const std::string& path, const PolicyFile& file)
{
    std::string out = "policy: " + quote(path) + ", mode " + (is_audit(file) ? "audit" : "enforce") + "\n";
    out += "recorded: " + tally_text(simulation.all);
    out += simulation.all.empty() ? "\n" : ", " + period_text(simulation.all) + "\n";
    out += "stays allowed: " + tally_text(simulation.stays_allowed) + "\n";
    out += "stays denied: " + tally_text(simulation.stays_denied) + "\n";
    out += list_text("would be refused: ", simulation.refused, simulation.would_be_refused, file);
    out += list_text("would be allowed: ", simulation.allowed, simulation.would_be_allowed, file);
    out += list_text("cannot tell: ", simulation.cannot_tell, simulation.untold, file);
    for (const auto& note : notes_of(simulation, file)) {
        out += "note: " + printable(note) + "\n";
    }
    return out;
}

std::string simulation_json(const Simulation& simulation, const std::string& path, const PolicyFile& file)
{
    const auto& digest = file.policy.head.policy_digest;
    Json out{{"version", 1}, {"result", result_name(simulation)}};
    out["policy"] = {{"file", escape(path)},
                     {"mode", is_audit(file) ? "audit" : "enforce"},
                     {"digest", hex(static_cast<const unsigned char*>(digest), sizeof(digest))}};
    out["recorded"] = tally_json(simulation.all);
    out["stays_allowed"] = tally_json(simulation.stays_allowed);
    out["stays_denied"] = tally_json(simulation.stays_denied);
    out["passed_in_audit"] = tally_json(simulation.passed_in_audit);
    out["by_groups"] = tally_json(simulation.by_groups);
    out["would_be_refused"] = list_json(simulation.refused, simulation.would_be_refused, file);
    out["would_be_allowed"] = list_json(simulation.allowed, simulation.would_be_allowed, file);
    out["cannot_tell"] = list_json(simulation.cannot_tell, simulation.untold, file);
    out["unlisted"] = tally_json(simulation.unlisted);
    out["damaged_lines"] = simulation.damaged_lines;
    out["unseen_endpoints"] = lines_json(simulation.unseen_endpoints);
    out["notes"] = lines_json(notes_of(simulation, file));
    out["warnings"] = lines_json(file.policy.warnings);
    return out.dump() + "\n";
}

ExitCode simulation_exit_code(const Simulation& simulation)
{
    if (!simulation.refused.empty() || !simulation.allowed.empty()) {
        return ExitCode::Changes;
    }
    const bool is_told = simulation.cannot_tell.empty() && simulation.damaged_lines == 0 && !simulation.all.empty();
    return is_told ? ExitCode::Ok : ExitCode::CannotTell;
}

} // namespace hostward::cli
