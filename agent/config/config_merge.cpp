// SPDX-License-Identifier: Apache-2.0
// Several files to one policy. Pure.
#include "agent/base/text.h"
#include "agent/config/complaints.h"
#include "agent/config/config_file.h"

#include <map>
#include <utility>

namespace hostward::config {

namespace {

template <typename T> void override_setting(std::optional<At<T>>& current, const std::optional<At<T>>& later,
                                            const char* key, std::vector<std::string>& overrides)
{
    if (!later) {
        return;
    }
    if (current) {
        overrides.push_back(later->place.text() + ": " + key + " replaces that of " + current->place.text());
    }
    current = later;
}

/// The settings of all files, the last word of each.
ConfigFile last_settings(const std::vector<ConfigFile>& files, std::vector<std::string>& overrides)
{
    ConfigFile out;
    for (const auto& file : files) {
        override_setting(out.mode, file.mode, "mode", overrides);
        override_setting(out.forwarded, file.forwarded, "forwarded", overrides);
        override_setting(out.bypass_sockets, file.bypass_sockets, "bypass_sockets", overrides);
        override_setting(out.seal_until_reboot, file.seal_until_reboot, "seal", overrides);
        override_setting(out.metrics_file, file.metrics_file, "metrics_file", overrides);
    }
    return out;
}

void take_settings(const ConfigFile& settings, GuardConfig& out)
{
    if (settings.mode) {
        out.mode = settings.mode->value;
    }
    if (settings.forwarded) {
        out.forwarded = settings.forwarded->value;
    }
    if (settings.bypass_sockets) {
        out.bypass_sockets = settings.bypass_sockets->value;
    }
    if (settings.seal_until_reboot) {
        out.seal_until_reboot = settings.seal_until_reboot->value;
    }
    if (settings.metrics_file) {
        out.metrics_file = settings.metrics_file->value;
    }
}

/// Puts what a later file has over what was there: the same name takes its place, another name goes to the end. A
/// name that one file uses twice stays twice, for the compile step to complain about.
template <typename T> void override_named(const std::vector<T>& later, const char* what, std::vector<T>& out,
                                          std::vector<std::string>& overrides)
{
    std::map<std::string, std::size_t> earlier;
    for (std::size_t i = 0; i < out.size(); ++i) {
        earlier.emplace(out[i].name, i);
    }
    for (const auto& item : later) {
        const auto known = earlier.find(item.name);
        if (known == earlier.end()) {
            out.push_back(item);
            continue;
        }
        overrides.push_back(item.place.text() + ": " + what + " " + quote(item.name) + " replaces that of " +
                            out[known->second].place.text());
        out[known->second] = item;
        earlier.erase(known);
    }
}

void add_presets(const std::vector<NamedPreset>& presets, GuardConfig& out, Complaints& errors)
{
    std::map<std::string, Place> own;
    for (const auto& rule : out.rules) {
        own.emplace(rule.name, rule.place);
    }
    std::map<std::string, std::string> preset_of;
    for (const auto& preset : presets) {
        for (Rule rule : preset.content.rules) {
            if (const auto replaced = own.find(rule.name); replaced != own.end()) {
                out.overrides.push_back(replaced->second.text() + ": rule " + quote(rule.name) +
                                        " replaces that of preset " + quote(preset.name));
                continue;
            }
            const auto [other, is_new] = preset_of.emplace(rule.name, preset.name);
            if (!is_new && other->second != preset.name) {
                errors.add(rule.place,
                           "rule name " + quote(rule.name) + " is used in preset " + quote(other->second) + " too");
            }
            rule.preset = preset.name;
            out.rules.push_back(std::move(rule));
        }
    }
}

} // namespace

Result<GuardConfig> merge(const std::vector<ConfigFile>& files, const std::vector<NamedPreset>& presets)
{
    GuardConfig out;
    take_settings(last_settings(files, out.overrides), out);
    bool is_main = true;
    for (const auto& file : files) {
        override_named(file.endpoints, "endpoint", out.endpoints, out.overrides);
        if (is_main && out.endpoints.empty()) {
            out.endpoints = default_endpoints();
        }
        is_main = false;
        override_named(file.rules, "rule", out.rules, out.overrides);
    }
    Complaints errors;
    add_presets(presets, out, errors);
    if (!errors.empty()) {
        return errors.error();
    }
    return out;
}

} // namespace hostward::config
