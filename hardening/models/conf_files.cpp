// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/conf_files.h"

#include "agent/base/text.h"
#include "hardening/models/glob.h"

#include <map>

namespace hostward::hardening {

namespace {

constexpr std::size_t kAlternativesMax = 1024; ///< of `{a,b}` in one pattern; more are not looked at

/// Bit of an end of line, 0 for other characters. Each kind counts once in a row: "\r\n" is one end, "\n\n" two.
unsigned end_of_line(char c)
{
    switch (c) {
    case '\n': return 1;
    case '\r': return 2;
    case '\0': return 4;
    default: return 0;
    }
}

/// The end of a group whose `{` is at `open`; npos: it is not closed.
std::size_t closing_brace(std::string_view pattern, std::size_t open)
{
    int depth = 0;
    for (std::size_t at = open; at < pattern.size(); ++at) {
        depth += pattern[at] == '{' ? 1 : 0;
        depth -= pattern[at] == '}' ? 1 : 0;
        if (depth == 0) {
            return at;
        }
    }
    return pattern.npos;
}

std::vector<std::string_view> alternatives(std::string_view inside)
{
    std::vector<std::string_view> found;
    int depth = 0;
    std::size_t start = 0;
    for (std::size_t at = 0; at < inside.size(); ++at) {
        depth += inside[at] == '{' ? 1 : 0;
        depth -= inside[at] == '}' ? 1 : 0;
        if (inside[at] == ',' && depth == 0) {
            found.push_back(inside.substr(start, at - start));
            start = at + 1;
        }
    }
    found.push_back(inside.substr(start));
    return found;
}

} // namespace

Result<std::vector<ConfFile>> conf_file(const host::Host& host, const std::string& path)
{
    const auto facts = host.facts(path);
    if (!facts) {
        return facts.error().kind == ErrorKind::NotFound ? Result<std::vector<ConfFile>>(std::vector<ConfFile>{})
                                                         : Result<std::vector<ConfFile>>(facts.error());
    }
    if (facts->type == host::FileType::Directory) {
        return std::vector<ConfFile>{};
    }
    if (facts->type == host::FileType::CharDevice) { // /dev/null
        return std::vector<ConfFile>{{path, ""}};
    }
    TRY_ASSIGN(auto text, host.read(path));
    return std::vector<ConfFile>{{path, std::move(text)}};
}

Result<std::vector<ConfFile>> conf_files(const host::Host& host, std::span<const std::string> folders,
                                         std::string_view suffix)
{
    std::map<std::string, std::string> path_of; // by name
    for (const auto& folder : folders) {
        TRY_ASSIGN(const auto names, host::list_optional(host, folder));
        for (const auto& name : names) {
            if (name.ends_with(suffix) && !name.starts_with('.')) {
                path_of.emplace(name, folder + "/" + name);
            }
        }
    }
    std::vector<ConfFile> files;
    for (const auto& [name, path] : path_of) {
        TRY_ASSIGN(auto found, conf_file(host, path));
        for (auto& file : found) {
            files.push_back(std::move(file));
        }
    }
    return files;
}

std::vector<std::string> conf_folders(std::string_view name)
{
    std::vector<std::string> folders;
    for (const auto* root : {"/etc/", "/run/", "/usr/local/lib/", "/usr/lib/", "/lib/"}) {
        folders.push_back(root + std::string(name));
    }
    return folders;
}

void for_each_systemd_line(std::string_view text,
                           const std::function<void(std::string_view line, std::uint32_t number)>& each)
{
    for (std::uint32_t number = 1; !text.empty(); ++number) {
        std::size_t end = 0;
        while (end < text.size() && end_of_line(text[end]) == 0) {
            ++end;
        }
        each(text.substr(0, end), number);
        text.remove_prefix(end);
        unsigned seen = 0;
        while (!text.empty() && end_of_line(text.front()) != 0 && (seen & end_of_line(text.front())) == 0) {
            seen |= end_of_line(text.front());
            text.remove_prefix(1);
        }
    }
}

bool glob_matches(const std::string& pattern, const std::string& path)
{
    std::vector<std::string> pending{pattern};
    for (std::size_t made = 0; !pending.empty() && made < kAlternativesMax; ++made) {
        const std::string one = std::move(pending.back());
        pending.pop_back();
        auto open = one.find('{');
        while (open != one.npos && one.compare(open, 2, "{}") == 0) {
            open = one.find('{', open + 2);
        }
        const auto close = open == one.npos ? one.npos : closing_brace(one, open);
        if (close == one.npos) {
            if (matches_path(one, path)) {
                return true;
            }
            continue;
        }
        for (const auto part : alternatives(std::string_view(one).substr(open + 1, close - open - 1))) {
            pending.push_back(one.substr(0, open) + std::string(part) + one.substr(close + 1));
        }
    }
    return false;
}

} // namespace hostward::hardening
