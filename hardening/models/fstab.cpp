// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/fstab.h"

#include "hardening/models/conf_files.h"
#include "hardening/models/mounts.h"

#include <algorithm>
#include <array>
#include <optional>

namespace hostward::hardening {

namespace {

/// What one option says about nodev, nosuid or noexec: it sets it, undoes it or leaves it alone.
std::optional<bool> says(std::string_view option, std::string_view wanted)
{
    if (option == wanted) {
        return true;
    }
    if (wanted.starts_with("no") && option == wanted.substr(2)) {
        return false;
    }
    // mount(8): these let others mount, so the dangerous is off unless a later option allows it.
    if (option == "user" || option == "users") {
        return true;
    }
    if ((option == "owner" || option == "group") && wanted != "noexec") {
        return true;
    }
    return std::nullopt;
}

std::string_view next_field(std::string_view& rest)
{
    const auto start = rest.find_first_not_of(" \t");
    rest.remove_prefix(start == rest.npos ? rest.size() : start);
    const auto end = rest.find_first_of(" \t");
    const auto field = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end);
    return field;
}

std::string without_final_slashes(std::string path)
{
    while (path.size() > 1 && path.back() == '/') {
        path.pop_back();
    }
    return path;
}

} // namespace

std::vector<std::string> mount_options(std::string_view text)
{
    std::vector<std::string> options(1);
    bool is_quoted = false;
    for (const char c : text) {
        is_quoted = c == '"' ? !is_quoted : is_quoted;
        if (c == ',' && !is_quoted) {
            options.emplace_back();
        } else {
            options.back() += c;
        }
    }
    std::erase(options, "");
    return options;
}

bool options_give(std::span<const std::string> options, std::string_view wanted)
{
    constexpr std::array<std::string_view, 3> kFlags{"nodev", "nosuid", "noexec"};
    if (std::ranges::find(kFlags, wanted) == kFlags.end()) {
        return std::ranges::find(options, wanted) != options.end();
    }
    bool is_given = false;
    for (const auto& option : options) {
        is_given = says(option, wanted).value_or(is_given);
    }
    return is_given;
}

std::vector<FstabEntry> parse_fstab(std::string_view text, const std::string& file)
{
    std::vector<FstabEntry> entries;
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        auto rest = line.substr(0, line.find('\r'));
        const auto source = next_field(rest);
        const auto point = next_field(rest);
        const auto type = next_field(rest);
        if (source.empty() || source.front() == '#' || type.empty()) {
            return;
        }
        entries.push_back({unescaped_octal(source), without_final_slashes(unescaped_octal(point)),
                           unescaped_octal(type), mount_options(unescaped_octal(next_field(rest))),
                           Origin{file, number}});
    });
    return entries;
}

const FstabEntry* Fstab::at(std::string_view point) const
{
    const auto found = std::ranges::find(entries, point, &FstabEntry::point);
    return found == entries.end() ? nullptr : &*found;
}

Result<Fstab> Fstab::read(Facts& facts)
{
    Fstab fstab;
    TRY_ASSIGN(const auto files, conf_file(facts.host(), "/etc/fstab"));
    for (const auto& file : files) {
        fstab.entries = parse_fstab(file.text, file.path);
    }
    return fstab;
}

} // namespace hostward::hardening
