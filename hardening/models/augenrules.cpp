// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/augenrules.h"

#include <algorithm>
#include <climits>
#include <iterator>
#include <optional>

namespace hostward::hardening {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Without extensions: `10-a.rules` -> `10-a`.
std::string_view without_suffix(std::string_view name)
{
    std::size_t end = 0;
    for (std::size_t i = 0; i < name.size();) {
        end = ++i;
        while (i + 1 < name.size() && name[i] == '.' && (is_letter(name[i + 1]) || name[i + 1] == '~')) {
            for (i += 2; i < name.size() && (is_letter(name[i]) || is_digit(name[i]) || name[i] == '~'); ++i) {
            }
        }
        if (i >= name.size()) {
            break;
        }
    }
    return name.substr(0, end);
}

/// The end comes before letters, letters before other characters, `~` before all.
int rank(std::string_view name, std::size_t at)
{
    if (at >= name.size()) {
        return -1;
    }
    const char c = name[at];
    if (is_digit(c)) {
        return 0;
    }
    if (is_letter(c)) {
        return c;
    }
    return c == '~' ? -2 : static_cast<unsigned char>(c) + UCHAR_MAX + 1;
}

std::string_view leading_number(std::string_view text, std::size_t& at)
{
    while (at < text.size() && text[at] == '0') {
        ++at;
    }
    const auto start = at;
    while (at < text.size() && is_digit(text[at])) {
        ++at;
    }
    return text.substr(start, at - start);
}

int compare(std::string_view one, std::string_view other)
{
    std::size_t a = 0;
    std::size_t b = 0;
    while (a < one.size() || b < other.size()) {
        while ((a < one.size() && !is_digit(one[a])) || (b < other.size() && !is_digit(other[b]))) {
            const int difference = rank(one, a) - rank(other, b);
            if (difference != 0) {
                return difference;
            }
            ++a;
            ++b;
        }
        const auto first = leading_number(one, a);
        const auto second = leading_number(other, b);
        if (first.size() != second.size()) {
            return first.size() < second.size() ? -1 : 1;
        }
        if (const int difference = first.compare(second); difference != 0) {
            return difference;
        }
    }
    return 0;
}

/// Blanks that awk skips before an option: with `\s` all, else the letter s, any number of them.
std::string_view after_blanks(std::string_view line, bool knows_blank_class)
{
    const auto start = line.find_first_not_of(knows_blank_class ? " \t\r\f\v" : "s");
    return start == line.npos ? std::string_view{} : line.substr(start);
}

bool is_plain_deletion(std::string_view option, bool knows_blank_class)
{
    return option.starts_with("-D") && after_blanks(option.substr(2), knows_blank_class).empty();
}

} // namespace

bool version_less(std::string_view one, std::string_view other)
{
    int order = compare(without_suffix(one), without_suffix(other));
    order = order != 0 ? order : compare(one, other);
    return order != 0 ? order < 0 : one < other;
}

std::vector<std::string> augenrules_order(std::vector<std::string> names)
{
    // A shell splits the list at blanks: a name with one is two names that do not exist.
    std::erase_if(names, [](const std::string& name) {
        return name.starts_with('.') || !name.ends_with(".rules") || name.find_first_of(" \t\n") != std::string::npos;
    });
    std::ranges::sort(names, version_less);
    return names;
}

std::vector<AuditLine> auditctl_lines(const AuditFile& file)
{
    std::vector<AuditLine> lines;
    for_each_line(file.text, [&](std::string_view line, std::uint32_t number) {
        lines.push_back({std::string(line), Origin{file.path, number}});
    });
    return lines;
}

std::vector<AuditLine> augenrules_lines(const std::vector<AuditFile>& files, bool knows_blank_class)
{
    std::vector<AuditLine> all;
    bool is_open = false; // the file before ended without a line end: its last line goes on in this one
    for (const auto& file : files) {
        auto lines = auditctl_lines(file);
        if (is_open && !all.empty() && !lines.empty()) {
            all.back().text += lines.front().text;
            lines.erase(lines.begin());
        }
        std::ranges::move(lines, std::back_inserter(all));
        is_open = file.text.empty() ? is_open : !file.text.ends_with('\n');
    }
    std::optional<AuditLine> deletion;
    std::optional<AuditLine> backlog;
    std::optional<AuditLine> failure;
    std::optional<AuditLine> enabled;
    std::vector<AuditLine> rest;
    for (auto& line : all) {
        const auto option = after_blanks(line.text, knows_blank_class);
        if (line.text.empty() || option.starts_with('#')) {
            continue;
        }
        if (option.starts_with("-e")) {
            enabled = std::move(line);
        } else if (is_plain_deletion(option, knows_blank_class)) {
            deletion = std::move(line);
        } else if (option.starts_with("-f")) {
            failure = std::move(line);
        } else if (option.starts_with("-b")) {
            backlog = std::move(line);
        } else {
            rest.push_back(std::move(line));
        }
    }
    std::vector<AuditLine> out;
    for (auto* first : {&deletion, &backlog, &failure}) {
        if (*first) {
            out.push_back(std::move(**first));
        }
    }
    std::ranges::move(rest, std::back_inserter(out));
    if (enabled) {
        out.push_back(std::move(*enabled));
    }
    return out;
}

} // namespace hostward::hardening
