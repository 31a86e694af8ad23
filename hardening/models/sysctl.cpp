// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/sysctl.h"

#include "agent/base/text.h"
#include "hardening/models/conf_files.h"
#include "hardening/models/shell_assignments.h"

#include <algorithm>

namespace hostward::hardening {

namespace {

constexpr std::string_view kBlanks = " \t\n\r"; // what systemd strips; VT and FF stay

std::string_view stripped(std::string_view text)
{
    const auto first = text.find_first_not_of(kBlanks);
    const auto last = text.find_last_not_of(kBlanks);
    return first == text.npos ? std::string_view{} : text.substr(first, last - first + 1);
}

/// Without doubled, leading and final slashes and without "." parts.
std::string simplified(std::string_view path)
{
    std::string out;
    for (const auto part : split(path, '/')) {
        if (!part.empty() && part != ".") {
            out += (out.empty() ? "" : "/") + std::string(part);
        }
    }
    return out;
}

std::optional<SysctlSetting> parse_line(std::string_view line, Origin where)
{
    line = stripped(line);
    if (line.empty() || line.front() == '#' || line.front() == ';') {
        return std::nullopt;
    }
    const bool has_dash = line.front() == '-'; // with a value: ignore what goes wrong
    const auto equals = line.find('=');
    if (equals == line.npos && !has_dash) {
        return std::nullopt;
    }
    const auto name = line.substr(has_dash ? 1 : 0, equals == line.npos ? equals : equals - (has_dash ? 1 : 0));
    SysctlSetting setting{sysctl_key(stripped(name)), std::nullopt, std::move(where)};
    if (equals != line.npos) {
        setting.value = std::string(stripped(line.substr(equals + 1)));
    }
    return setting.key.empty() ? std::nullopt : std::optional(std::move(setting));
}

void put(std::vector<SysctlSetting>& settings, SysctlSetting setting)
{
    const auto same = std::ranges::find(settings, setting.key, &SysctlSetting::key);
    if (same != settings.end()) {
        if (same->value == setting.value) {
            return; // the same once more: systemd keeps the first one's place
        }
        settings.erase(same);
    }
    settings.push_back(std::move(setting));
}

/// ufw-init loads this file with procps's sysctl when ufw is enabled.
Result<std::vector<SysctlSetting>> settings_of_ufw(const host::Host& host)
{
    std::vector<SysctlSetting> settings;
    TRY_ASSIGN(const auto switches, read_shell_assignments(host, "/etc/ufw/ufw.conf"));
    const auto* enabled = last_assignment(switches, "ENABLED");
    if (enabled == nullptr || lower(enabled->value) != "yes") {
        return settings;
    }
    TRY_ASSIGN(const auto defaults, read_shell_assignments(host, "/etc/default/ufw"));
    const auto* path = last_assignment(defaults, "IPT_SYSCTL");
    if (path == nullptr || !path->value.starts_with('/')) {
        return settings;
    }
    TRY_ASSIGN(const auto files, conf_file(host, path->value));
    for (const auto& file : files) {
        for (auto& setting : parse_sysctl(file.text, file.path)) {
            std::erase_if(settings, [&](const auto& other) { return other.key == setting.key; });
            settings.push_back(std::move(setting));
        }
    }
    return settings;
}

} // namespace

std::string sysctl_key(std::string_view name)
{
    std::string key(name);
    const auto separator = key.find_first_of("./");
    if (separator != key.npos && key[separator] == '.') {
        std::ranges::transform(key, key.begin(), [](char c) { return c == '.' ? '/' : c == '/' ? '.' : c; });
    }
    return simplified(key);
}

std::vector<SysctlSetting> parse_sysctl(std::string_view text, const std::string& file)
{
    std::vector<SysctlSetting> settings;
    for_each_systemd_line(text, [&](std::string_view line, std::uint32_t number) {
        if (auto setting = parse_line(line, Origin{file, number})) {
            settings.push_back(std::move(*setting));
        }
    });
    return settings;
}

bool is_sysctl_pattern(std::string_view key) { return key.find_first_of("*?[") != key.npos; }

void SysctlConfig::add(SysctlSetting setting) { put(settings, std::move(setting)); }

const SysctlSetting* SysctlConfig::at_boot(const std::string& key) const
{
    const auto later = std::ranges::find(of_ufw, key, &SysctlSetting::key);
    if (later != of_ufw.end() && later->value) {
        return &*later;
    }
    const SysctlSetting* decides = nullptr;
    for (const auto& setting : settings) {
        if (setting.key == key) { // patterns never touch a key that is named, wherever it stands
            return setting.value ? &setting : nullptr;
        }
        if (setting.value && is_sysctl_pattern(setting.key) && glob_matches(setting.key, key)) {
            decides = &setting;
        }
    }
    return decides;
}

Result<SysctlConfig> SysctlConfig::read(Facts& facts)
{
    SysctlConfig config;
    TRY_ASSIGN(const auto files, conf_files(facts.host(), conf_folders("sysctl.d"), ".conf"));
    for (const auto& file : files) {
        for (auto& setting : parse_sysctl(file.text, file.path)) {
            config.add(std::move(setting));
        }
    }
    TRY_ASSIGN(config.of_ufw, settings_of_ufw(facts.host()));
    return config;
}

Result<std::optional<std::string>> running_sysctl(const host::Host& host, const std::string& key)
{
    const auto text = host::read_kernel(host, "/proc/sys/" + key);
    if (!text) {
        return text.error().kind == ErrorKind::NotFound ? Result<std::optional<std::string>>(std::nullopt)
                                                        : Result<std::optional<std::string>>(text.error());
    }
    return std::optional(std::string(trimmed(std::string_view(*text).substr(0, text->find_last_not_of('\n') + 1))));
}

} // namespace hostward::hardening
