// SPDX-License-Identifier: Apache-2.0
// The texts of /proc that tell who a process is. Pure.
#include "agent/base/text.h"
#include "agent/cli/caller.h"

#include <algorithm>
#include <cstdint>

namespace hostward::cli {

namespace {

/// The words after `key` in the line that starts with it.
std::optional<std::vector<std::string_view>> words_of(std::string_view text, std::string_view key)
{
    for (const auto line : split(text, '\n')) {
        if (!line.starts_with(key)) {
            continue;
        }
        std::vector<std::string_view> words;
        std::string_view rest = line.substr(key.size());
        while (!rest.empty()) {
            const auto end = std::min(rest.find_first_of(" \t"), rest.size());
            if (end > 0) {
                words.push_back(rest.substr(0, end));
            }
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        return words;
    }
    return std::nullopt;
}

std::optional<std::vector<std::uint32_t>> numbers_of(std::string_view text, std::string_view key)
{
    const auto words = words_of(text, key);
    if (!words) {
        return std::nullopt;
    }
    std::vector<std::uint32_t> out;
    for (const auto word : *words) {
        const auto number = parse_number<std::uint32_t>(word);
        if (!number) {
            return std::nullopt;
        }
        out.push_back(*number);
    }
    return out;
}

/// mountinfo writes space, tab, newline and backslash as three octal digits.
std::string unescape_octal(std::string_view text)
{
    std::string out;
    while (!text.empty()) {
        const bool is_escape = text[0] == '\\' && text.size() >= 4;
        const auto code = is_escape ? parse_number<std::uint8_t>(text.substr(1, 3), 8) : std::nullopt;
        out += static_cast<char>(code.value_or(static_cast<std::uint8_t>(text[0])));
        text.remove_prefix(code ? 4 : 1);
    }
    return out;
}

/// One line of mountinfo, as far as we need it: proc(5).
struct Mount {
    std::string root;
    std::string point;
};

std::optional<Mount> cgroup2_mount(std::string_view line)
{
    constexpr std::size_t kRootField = 3;
    constexpr std::size_t kPointField = 4;
    const auto separator = line.find(" - cgroup2 ");
    const auto fields = split(line.substr(0, std::min(separator, line.size())), ' ');
    if (separator == std::string_view::npos || fields.size() <= kPointField) {
        return std::nullopt;
    }
    return Mount{unescape_octal(fields[kRootField]), unescape_octal(fields[kPointField])};
}

/// Without the slash that only the root has.
std::string plain(const std::string& path) { return path == "/" ? "" : path; }

} // namespace

std::optional<ProcStatus> parse_proc_status(std::string_view text)
{
    constexpr std::size_t kIds = 4; // real, effective, saved, file system
    const auto uids = numbers_of(text, "Uid:");
    const auto gids = numbers_of(text, "Gid:");
    auto groups = numbers_of(text, "Groups:");
    if (!uids || !gids || !groups || uids->size() != kIds || gids->size() != kIds) {
        return std::nullopt;
    }
    return ProcStatus{(*uids)[0], (*uids)[1], (*gids)[0], std::move(*groups)};
}

std::optional<std::string> parse_proc_cgroup(std::string_view text)
{
    for (const auto line : split(text, '\n')) {
        if (line.starts_with("0::/")) {
            return std::string(line.substr(3));
        }
    }
    return std::nullopt;
}

std::optional<std::string> cgroup_of_folder(std::string_view mountinfo, const std::string& folder)
{
    std::optional<Mount> best;
    for (const auto line : split(mountinfo, '\n')) {
        const auto mount = cgroup2_mount(line);
        // The last one of equals: a mount hides what was mounted at the same place before.
        if (mount && below(folder, mount->point) && (!best || mount->point.size() >= best->point.size())) {
            best = mount;
        }
    }
    if (!best) {
        return std::nullopt;
    }
    const std::string path = plain(best->root) + *below(folder, best->point);
    return path.empty() ? "/" : path;
}

std::optional<std::string> below(const std::string& path, const std::string& top)
{
    const std::string prefix = plain(top);
    if (path == top || plain(path) == prefix) {
        return "";
    }
    if (!path.starts_with(prefix + "/")) {
        return std::nullopt;
    }
    return path.substr(prefix.size());
}

} // namespace hostward::cli
