// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/ini.h"

#include "hardening/models/conf_files.h"

namespace hostward::hardening {

namespace {

constexpr std::string_view kSystemdBlanks = " \t\n\r";

std::string_view stripped(std::string_view text)
{
    const auto first = text.find_first_not_of(kSystemdBlanks);
    const auto last = text.find_last_not_of(kSystemdBlanks);
    return first == text.npos ? std::string_view{} : text.substr(first, last - first + 1);
}

/// A backslash at the end that no other backslash escapes.
bool goes_on(std::string_view line)
{
    bool is_escaped = false;
    for (const char c : line) {
        is_escaped = !is_escaped && c == '\\';
    }
    return is_escaped;
}

/// One logical line of systemd's. `section` is the one it is in.
void take_line(std::string_view line, Origin where, std::string& section, Ini& ini)
{
    line = stripped(line);
    if (line.empty()) {
        return;
    }
    if (line.front() == '[') {
        if (line.back() != ']') {
            ini.stops_at = std::move(where);
            return;
        }
        section = std::string(line.substr(1, line.size() - 2));
        return;
    }
    const auto equals = line.find('=');
    if (equals == line.npos || section.empty()) {
        return;
    }
    ini.entries.push_back({section, std::string(stripped(line.substr(0, equals))),
                           std::string(stripped(line.substr(equals + 1))), std::move(where)});
}

} // namespace

const IniEntry* Ini::find(std::string_view section, std::string_view key) const
{
    const IniEntry* last = nullptr;
    for (const auto& entry : entries) {
        last = entry.section == section && entry.key == key ? &entry : last;
    }
    return last == nullptr || last->value.empty() ? nullptr : last;
}

std::vector<const IniEntry*> Ini::list(std::string_view section, std::string_view key) const
{
    std::vector<const IniEntry*> found;
    for (const auto& entry : entries) {
        if (entry.section != section || entry.key != key) {
            continue;
        }
        if (entry.value.empty()) {
            found.clear();
        } else {
            found.push_back(&entry);
        }
    }
    return found;
}

void parse_systemd_ini(std::string_view text, const std::string& file, Ini& ini)
{
    std::string joined;
    std::string section;
    Origin where{file, 0};
    for_each_systemd_line(text, [&](std::string_view line, std::uint32_t number) {
        const auto shown = stripped(line);
        if (ini.stops_at || (!shown.empty() && (shown.front() == '#' || shown.front() == ';'))) {
            return; // comments may stand between joined lines
        }
        where.line = joined.empty() ? number : where.line;
        joined += line;
        if (goes_on(joined)) {
            joined.back() = ' ';
            return;
        }
        take_line(joined, where, section, ini);
        joined.clear();
    });
    if (!joined.empty() && !ini.stops_at) {
        take_line(joined, where, section, ini);
    }
}

Ini parse_key_file(std::string_view text, const std::string& file)
{
    Ini ini;
    std::string section;
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        const auto shown = trimmed(line);
        if (shown.empty() || shown.front() == '#') {
            return;
        }
        const auto equals = shown.find('=');
        if (shown.front() == '[' && shown.back() == ']') {
            section = std::string(shown.substr(1, shown.size() - 2));
        } else if (equals == shown.npos || equals == 0 || section.empty()) {
            ini.stops_at = ini.stops_at ? ini.stops_at : Origin{file, number};
        } else {
            ini.entries.push_back({section, std::string(trimmed(shown.substr(0, equals))),
                                   std::string(trimmed(shown.substr(equals + 1))), Origin{file, number}});
        }
    });
    return ini;
}

} // namespace hostward::hardening
