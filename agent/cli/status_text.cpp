// SPDX-License-Identifier: Apache-2.0
#include "agent/base/terminal.h"
#include "agent/base/text.h"
#include "agent/cli/status_view.h"

#include <algorithm>
#include <array>

namespace hostward::cli {

namespace {

constexpr std::size_t kNameColumn = 24;
constexpr std::size_t kNumberColumn = 12;

std::string padded(std::string text, std::size_t width)
{
    text.resize(std::max(text.size() + 1, width), ' ');
    return text;
}

std::string number(std::uint64_t value)
{
    const std::string text = std::to_string(value);
    return std::string(kNumberColumn - std::min(kNumberColumn - 1, text.size()), ' ') + text;
}

std::string head_text(const guard::GuardStatus& status)
{
    std::string out = padded("guard", kNameColumn);
    out += status.audit ? "audit: decides and records, lets everything pass" : "enforce";
    out += "\n" + padded("policy", kNameColumn) + "generation " + std::to_string(status.generation) + ", digest " +
           status.policy_digest.substr(0, 16);
    out += status.sealed ? ", sealed until reboot" : ", not sealed";
    out += "\n" + padded("guarded cgroup", kNameColumn) + escape(status.cgroup);
    out += "\n" + padded("agent", kNameColumn);
    out += status.agent_running ? "running, pid " + std::to_string(status.agent_pid)
                                : "not running: enforced and counted, not listed";
    return out + "\n";
}

std::string layers_text(const std::vector<guard::LayerStatus>& layers)
{
    std::string out = "\nlayers\n";
    for (const auto& layer : layers) {
        std::string detail;
        for (const auto& part : layer.detail) {
            detail += (detail.empty() ? "" : " ") + escape(part);
        }
        std::string line = "  " + padded(layer.name, 10) + padded(layer_state_text(layer.state), 12);
        line += detail;
        if (layer.state != guard::LayerState::On && !layer.why.empty()) {
            line += (detail.empty() ? "" : "; ") + printable(layer.why);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    return out;
}

std::string counts_line(const std::string& name, bool allow, std::array<std::uint64_t, 3> counts)
{
    std::string line = "  " + padded(escape(name), kNameColumn) + padded(allow ? "allow" : "deny", 8);
    for (const auto count : counts) {
        line += number(count);
    }
    return line + "\n";
}

std::string counts_text(const guard::GuardStatus& status)
{
    std::string out = "\n" + padded("rules, then defaults", kNameColumn + 2) + padded("action", 8) +
                      "     allowed      denied  would deny\n";
    for (const auto& rule : status.rules) {
        out += counts_line(rule.name, rule.allow, {rule.allowed, rule.denied, rule.would_deny});
    }
    for (const auto& endpoint : status.endpoints) {
        out += counts_line("(default of " + endpoint.name + ")", endpoint.default_allow,
                           {endpoint.allowed, endpoint.denied, endpoint.would_deny});
    }
    return out;
}

std::string requests_line(const std::string& name, const guard::RequestCounts& requests)
{
    if (requests.v1 == 0 && requests.v2 == 0 && requests.unknown == 0) {
        return "";
    }
    return "  " + padded(escape(name), kNameColumn + 8) + number(requests.v1) + number(requests.v2) +
           number(requests.unknown) + "\n";
}

/// Who still speaks IMDSv1: rules with requests only.
std::string requests_text(const guard::GuardStatus& status)
{
    std::string out;
    for (const auto& rule : status.rules) {
        out += requests_line(rule.name, rule.requests);
    }
    for (const auto& endpoint : status.endpoints) {
        out += requests_line("(default of " + endpoint.name + ")", endpoint.requests);
    }
    out += requests_line("all since loading", status.requests);
    if (out.empty()) {
        return "";
    }
    return "\n" + padded("requests by version", kNameColumn + 10) + "      IMDSv1      IMDSv2     unknown\n" + out;
}

/// Only what happened: twenty zeros say nothing.
std::string numbers_text(const char* title, const std::map<std::string, std::uint64_t>& numbers)
{
    std::string out;
    for (const auto& [name, value] : numbers) {
        if (value != 0) {
            out += "  " + padded(name, kNameColumn + 8) + number(value) + "\n";
        }
    }
    return out.empty() ? "" : "\n" + std::string(title) + "\n" + out;
}

/// Rows that are open for the same reason stand together below it.
std::string rows_text(const std::vector<guard::RowStatus>& rows)
{
    std::vector<std::string> reasons;
    for (const auto& row : rows) {
        if (!row.closed && std::ranges::find(reasons, row.why) == reasons.end()) {
            reasons.push_back(row.why);
        }
    }
    const auto open = std::ranges::count(rows, false, &guard::RowStatus::closed);
    std::string out =
        "\nways around that are open: " + std::to_string(open) + " of " + std::to_string(rows.size()) + "\n";
    for (const auto& reason : reasons) {
        out += "  because " + printable(reason) + ":\n";
        for (const auto& row : rows) {
            if (!row.closed && row.why == reason) {
                out += "    " + padded(row.id, kNameColumn - 2) + printable(row.title) + "\n";
            }
        }
    }
    return out;
}

} // namespace

const char* layer_state_text(guard::LayerState state)
{
    switch (state) {
    case guard::LayerState::On: return "on";
    case guard::LayerState::Partial: return "partial";
    case guard::LayerState::Off: return "off";
    case guard::LayerState::Unavailable: return "unavailable";
    }
    return "off";
}

std::string status_text(const guard::GuardStatus& status)
{
    if (!status.loaded) {
        return padded("guard", kNameColumn) + "not loaded at " + escape(status.pin_dir) +
               ": every local user can reach the metadata service\n";
    }
    return head_text(status) + layers_text(status.layers) + counts_text(status) + requests_text(status) +
           numbers_text("denials by reason", status.reasons) + numbers_text("counted and not listed", status.lost) +
           rows_text(status.rows);
}

} // namespace hostward::cli
