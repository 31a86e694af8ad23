// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/dnf_config.h"

#include "hardening/models/file_set.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

/// dnf's own folders, where reposdir says nothing.
constexpr std::array<std::string_view, 3> kFolders{"/etc/yum.repos.d", "/etc/yum/repos.d", "/etc/distro.repos.d"};

std::vector<std::string> folders_of(const DnfConfig& config)
{
    std::vector<std::string> out(kFolders.begin(), kFolders.end());
    if (const auto* given = config.setting("reposdir")) {
        out.clear();
        std::string text = given->value;
        std::ranges::replace(text, ',', ' ');
        for (const auto folder : words(text)) {
            out.emplace_back(folder);
        }
    }
    return out;
}

} // namespace

const DnfSetting* DnfSection::last(std::string_view key) const
{
    const DnfSetting* found = nullptr;
    for (const auto& one : settings) {
        found = one.first == key ? &one.second : found;
    }
    return found;
}

const DnfSetting* DnfConfig::setting(std::string_view key) const
{
    const DnfSetting* found = nullptr;
    for (const auto& section : main) {
        if (const auto* one = section.last(key); one != nullptr && section.name == "main") {
            found = one;
        }
    }
    return found;
}

std::vector<DnfSection> parse_dnf_config(std::string_view text, const std::string& file)
{
    std::vector<DnfSection> out;
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        const auto content = trimmed(line);
        const bool goes_on = !line.empty() && (line[0] == ' ' || line[0] == '\t'); // of the value before
        if (content.empty() || line[0] == '#' || line[0] == ';' || goes_on) {
            return;
        }
        if (content.front() == '[') {
            const auto end = content.find(']');
            const auto name = end == content.npos ? std::string_view{} : trimmed(content.substr(1, end - 1));
            out.push_back({std::string(name), {file, number}, {}});
            return;
        }
        const auto equals = content.find('=');
        if (equals != content.npos && !out.empty()) {
            out.back().settings.push_back({std::string(trimmed(content.substr(0, equals))),
                                           {std::string(trimmed(content.substr(equals + 1))), {file, number}}});
        }
    });
    return out;
}

std::optional<bool> dnf_flag(std::string_view text)
{
    const std::string word = lower(trimmed(text));
    constexpr std::array<std::string_view, 5> kYes{"1", "yes", "true", "on", "enabled"};
    constexpr std::array<std::string_view, 5> kNo{"0", "no", "false", "off", "disabled"};
    if (std::ranges::find(kYes, word) != kYes.end()) {
        return true;
    }
    return std::ranges::find(kNo, word) != kNo.end() ? std::optional(false) : std::nullopt;
}

Result<DnfConfig> DnfConfig::read(Facts& facts)
{
    DnfConfig out;
    for (const std::string path : {"/etc/dnf/dnf.conf", "/etc/yum.conf"}) {
        TRY_ASSIGN(const auto text, host::read_optional(facts.host(), path));
        if (text && !out.is_there) {
            out.is_there = true;
            out.path = path;
            for (auto& section : parse_dnf_config(*text, path)) {
                (section.name == "main" ? out.main : out.repositories).push_back(std::move(section));
            }
        }
    }
    for (const auto& folder : folders_of(out)) {
        TRY_ASSIGN(const auto files, find_files(facts.host(), folder + "/*.repo"));
        for (const auto& file : files) {
            TRY_ASSIGN(const std::string text, facts.host().read(file.path));
            for (auto& section : parse_dnf_config(text, file.path)) {
                out.repositories.push_back(std::move(section));
            }
        }
    }
    for (const auto* sections : {&out.main, &out.repositories}) {
        const auto broken = std::ranges::find(*sections, "", &DnfSection::name);
        if (broken != sections->end()) {
            return invalid_error(broken->where.text() + ": a section without its name, with which dnf does not start");
        }
    }
    return out;
}

} // namespace hostward::hardening
