// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/policy_toml.h"

#include "agent/base/terminal.h"
#include "agent/base/text.h"

#include <string_view>

namespace hostward::cli {

namespace {

using config::Action;
using config::At;

/// A TOML basic string. Values come out of a TOML file, so they are UTF-8; what TOML does not allow raw is escaped.
std::string toml_string(std::string_view text)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte == 0x7f) {
            out += "\\u00";
            out += digits[byte >> 4];
            out += digits[byte & 15];
        } else {
            out += c;
        }
    }
    return out + '"';
}

void add_value(std::string& out, std::string_view key, std::string_view value)
{
    out.append(key).append(" = ").append(toml_string(value)).append("\n");
}

/// Nothing for an empty list: an empty array is not allowed in a policy.
void add_list(std::string& out, std::string_view key, const std::vector<At<std::string>>& values)
{
    if (values.empty()) {
        return;
    }
    std::string list;
    for (const auto& value : values) {
        list += (list.empty() ? "" : ", ") + toml_string(value.value);
    }
    out.append(key).append(" = [").append(list).append("]\n");
}

std::string_view action_text(Action action) { return action == Action::Allow ? "allow" : "deny"; }

std::string_view scope_text(config::Scope scope)
{
    switch (scope) {
    case config::Scope::Host: return "host";
    case config::Scope::Container: return "container";
    case config::Scope::Any: return "any";
    }
    return "host";
}

void add_endpoint(std::string& out, const config::Endpoint& endpoint)
{
    out += "\n[[guard.endpoint]]\n";
    add_value(out, "name", endpoint.name);
    add_list(out, "addresses", endpoint.addresses);
    add_value(out, "default", action_text(endpoint.default_action));
}

void add_rule(std::string& out, const config::Rule& rule)
{
    out += "[[guard.rule]]\n";
    add_value(out, "name", rule.name);
    add_value(out, "action", action_text(rule.action));
    add_list(out, "user", rule.users);
    add_list(out, "group", rule.groups);
    add_list(out, "exe", rule.exes);
    add_list(out, "unit", rule.units);
    add_list(out, "cgroup", rule.cgroups);
    add_value(out, "scope", scope_text(rule.scope));
    add_list(out, "endpoint", rule.endpoints);
    if (!rule.why.empty()) {
        add_value(out, "why", rule.why);
    }
}

/// Text that others wrote, as a comment: escaped, so that it cannot end the line.
void add_comment(std::string& out, const std::string& text) { out.append("# ").append(escape(text)).append("\n"); }

void add_origin(std::string& out, const config::Rule& rule)
{
    if (rule.place.line != 0) {
        const std::string preset = rule.preset.empty() ? "" : "preset:" + rule.preset + ", ";
        add_comment(out, preset + rule.place.file + ":" + std::to_string(rule.place.line));
    }
}

/// Whether it is said where each part comes from.
enum class Origin { Left, Said };

std::string print(const config::GuardConfig& config, Origin origin)
{
    std::string out;
    for (const auto& line : config.overrides) {
        if (origin == Origin::Said) {
            out.append("# ").append(printable(line)).append("\n");
        }
    }
    out += "[guard]\n";
    add_value(out, "mode", config.mode == config::Mode::Audit ? "audit" : "enforce");
    add_value(out, "forwarded", action_text(config.forwarded));
    add_value(out, "bypass_sockets", action_text(config.bypass_sockets));
    add_value(out, "seal", config.seal_until_reboot ? "until-reboot" : "off");
    if (!config.metrics_file.empty()) {
        add_value(out, "metrics_file", config.metrics_file);
    }
    for (const auto& endpoint : config.endpoints) {
        add_endpoint(out, endpoint);
    }
    for (const auto& rule : config.rules) {
        out += "\n";
        if (origin == Origin::Said) {
            add_origin(out, rule);
        }
        add_rule(out, rule);
    }
    return out;
}

} // namespace

std::string policy_toml(const config::GuardConfig& config) { return print(config, Origin::Left); }

std::string policy_toml_with_origin(const config::GuardConfig& config) { return print(config, Origin::Said); }

std::string rule_toml(const config::Rule& rule)
{
    std::string out;
    add_rule(out, rule);
    return out;
}

} // namespace hostward::cli
