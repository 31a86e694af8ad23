// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/chrony.h"

#include "agent/base/text.h"
#include "hardening/models/conf_files.h"

#include <algorithm>
#include <array>
#include <functional>

namespace hostward::hardening {

namespace {

constexpr std::array kMainFiles = {"/etc/chrony/chrony.conf", "/etc/chrony.conf"};

using Take = std::function<Status(const ConfFile& file, int depth)>;

/// The files that `include PATTERN` names; a pattern stands in the last component only.
Result<std::vector<ConfFile>> included(const host::Host& host, const std::string& pattern)
{
    const auto slash = pattern.rfind('/');
    if (!pattern.starts_with('/')) {
        return std::vector<ConfFile>{}; // relative to where chronyd was started: unknown, and chronyd fails on it
    }
    const std::string folder = slash == 0 ? "/" : pattern.substr(0, slash);
    TRY_ASSIGN(const auto names, host::list_optional(host, folder));
    std::vector<ConfFile> files;
    for (const auto& name : names) {
        const std::string path = (slash == 0 ? "" : folder) + "/" + name;
        if (!glob_matches(pattern, path)) {
            continue;
        }
        TRY_ASSIGN(auto found, conf_file(host, path));
        files.insert(files.end(), found.begin(), found.end());
    }
    return files;
}

Result<std::vector<ConfFile>> files_of(const host::Host& host, const ChronyDirective& directive)
{
    if (directive.name == "include") {
        return included(host, directive.value);
    }
    std::vector<std::string> folders;
    for (const auto word : words(directive.value)) {
        folders.emplace_back(word);
    }
    if (directive.name == "confdir") {
        return conf_files(host, folders, ".conf");
    }
    return directive.name == "sourcedir" ? conf_files(host, folders, ".sources")
                                         : Result<std::vector<ConfFile>>(std::vector<ConfFile>{});
}

} // namespace

std::vector<ChronyDirective> parse_chrony(std::string_view text, const std::string& file)
{
    std::vector<ChronyDirective> directives;
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        const auto parts = words(line);
        if (parts.empty() || std::string_view("!;#%").find(parts[0].front()) != std::string_view::npos) {
            return;
        }
        std::string value;
        for (std::size_t at = 1; at < parts.size(); ++at) {
            value += (at > 1 ? " " : "") + std::string(parts[at]);
        }
        directives.push_back({lower(parts[0]), std::move(value), Origin{file, number}});
    });
    return directives;
}

const ChronyDirective* Chrony::last(std::string_view name) const
{
    const ChronyDirective* found = nullptr;
    for (const auto& one : directives) {
        found = one.name == name ? &one : found;
    }
    return found;
}

Result<Chrony> Chrony::read(Facts& facts)
{
    const auto& host = facts.host();
    Chrony chrony;
    const Take take = [&](const ConfFile& file, int depth) -> Status {
        if (depth > kChronyDepthMax) {
            return invalid_error("chrony's files include each other more than " + std::to_string(kChronyDepthMax) +
                                 " deep at " + quote(file.path));
        }
        for (auto& directive : parse_chrony(file.text, file.path)) {
            TRY_ASSIGN(const auto more, files_of(host, directive));
            chrony.directives.push_back(std::move(directive));
            for (const auto& next : more) {
                TRY(take(next, depth + 1));
            }
        }
        return success();
    };
    for (const auto* path : kMainFiles) {
        TRY_ASSIGN(const auto files, conf_file(host, path));
        for (const auto& file : files) {
            chrony.is_there = true;
            chrony.path = file.path;
            TRY(take(file, 0));
        }
        if (chrony.is_there) {
            break;
        }
    }
    return chrony;
}

} // namespace hostward::hardening
