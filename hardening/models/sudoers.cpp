// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/sudoers.h"

#include "agent/base/text.h"
#include "hardening/models/account_fields.h"
#include "hardening/models/conf_files.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr int kDepthMax = 128; // sudo's own limit of nested includes
constexpr std::size_t kFilesMax = 4096;
constexpr std::array<std::string_view, 5> kAliases{"User_Alias", "Runas_Alias", "Host_Alias", "Cmnd_Alias",
                                                   "Cmd_Alias"};
constexpr std::string_view kBlanks = " \t";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Up to a `#` that starts a comment: not in quotes, not escaped, not that of a numeric user or group.
std::string_view without_comment(std::string_view line)
{
    bool is_quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '\\') {
            ++i;
        } else if (line[i] == '"') {
            is_quoted = !is_quoted;
        } else if (line[i] == '#' && !is_quoted) {
            const bool is_id = i + 1 < line.size() && (is_digit(line[i + 1]) || line[i + 1] == '-');
            if (!is_id) {
                return line.substr(0, i);
            }
        }
    }
    return line;
}

/// Cuts at separators that are neither quoted nor escaped.
std::vector<std::string_view> cut(std::string_view text, char separator)
{
    std::vector<std::string_view> parts;
    bool is_quoted = false;
    std::size_t start = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == '"') {
            is_quoted = !is_quoted;
        } else if (text[i] == separator && !is_quoted) {
            parts.push_back(text.substr(start, i - start));
            start = i + 1;
        }
    }
    parts.push_back(text.substr(start));
    return parts;
}

std::string unquoted(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) {
            out += text[++i];
        } else if (text[i] != '"') {
            out += text[i];
        }
    }
    return out;
}

void add_defaults(std::string_view rest, const Origin& origin, Sudoers& out)
{
    std::string scope;
    if (!rest.empty() && kBlanks.find(rest[0]) == kBlanks.npos) {
        const auto end = std::min(rest.find_first_of(kBlanks), rest.size());
        scope = rest.substr(0, end);
        rest.remove_prefix(end);
        // A list of names may have blanks after its commas.
        while (scope.ends_with(',') && !trimmed(rest).empty()) {
            rest = trimmed(rest);
            const auto next = std::min(rest.find_first_of(kBlanks), rest.size());
            scope += rest.substr(0, next);
            rest.remove_prefix(next);
        }
    }
    for (auto setting : cut(rest, ',')) {
        setting = trimmed(setting);
        SudoDefault one{origin, scope, "", "", false};
        while (setting.starts_with('!')) {
            one.is_negated = !one.is_negated;
            setting = trimmed(setting.substr(1));
        }
        const auto equals = std::min(setting.find('='), setting.size());
        auto name = setting.substr(0, equals);
        const bool is_list = name.ends_with('+') || name.ends_with('-');
        name.remove_suffix(is_list ? 1 : 0);
        one.name = trimmed(name);
        one.value = equals < setting.size() ? unquoted(trimmed(setting.substr(equals + 1))) : "";
        if (!one.name.empty()) {
            out.defaults.push_back(std::move(one));
        }
    }
}

/// `NOPASSWD:` as a tag: a `:` that belongs to a command is escaped.
bool has_no_password_tag(std::string_view specification)
{
    constexpr std::string_view kTag = "NOPASSWD";
    for (auto at = specification.find(kTag); at != specification.npos; at = specification.find(kTag, at + 1)) {
        const bool starts =
            at == 0 || std::string_view(" \t:=,)").find(specification[at - 1]) != std::string_view::npos;
        const auto rest = trimmed(specification.substr(at + kTag.size()));
        if (starts && rest.starts_with(':')) {
            return true;
        }
    }
    return false;
}

bool is_alias(std::string_view line)
{
    return std::ranges::any_of(kAliases, [&](std::string_view name) {
        return line.starts_with(name) && line.size() > name.size() && kBlanks.find(line[name.size()]) != kBlanks.npos;
    });
}

/// `@include PATH` and its relatives. The old form begins with `#`.
bool parse_include(std::string_view line, const Origin& origin, SudoInclude& out)
{
    if (!line.starts_with('@') && !line.starts_with('#')) {
        return false;
    }
    const auto rest = line.substr(1);
    for (const std::string_view word : {"includedir", "include"}) {
        if (rest.starts_with(word) && rest.size() > word.size() && kBlanks.find(rest[word.size()]) != kBlanks.npos) {
            auto path = trimmed(rest.substr(word.size()));
            const bool is_old = line[0] == '#';
            path = is_old ? path.substr(0, path.find_first_of(kBlanks)) : without_comment(path);
            out = {origin, unquoted(trimmed(path)), word == "includedir"};
            return true;
        }
    }
    return false;
}

struct LongLine {
    std::string text;
    std::uint32_t number = 0;
};

/// Lines with those joined that a backslash continues.
std::vector<LongLine> long_lines(std::string_view text)
{
    std::vector<LongLine> lines;
    bool is_open = false;
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        if (!is_open) {
            lines.push_back({"", number});
        }
        is_open = line.ends_with('\\') && !trimmed(lines.back().text + std::string(line)).starts_with('#');
        line.remove_suffix(is_open ? 1 : 0);
        lines.back().text += line;
    });
    return lines;
}

class Reader {
public:
    Reader(Facts& facts, Sudoers& out) : facts_(facts), out_(out) {}

    Status file(const std::string& path, int depth)
    {
        if (depth > kDepthMax || ++files_ > kFilesMax) {
            return Error{ErrorKind::Exhausted, 0, "sudoers includes too much, at last " + quote(path)};
        }
        TRY_ASSIGN(const auto text, host::read_optional(facts_.host(), path));
        if (!text) {
            return success(); // sudo goes on without it
        }
        return parse_sudoers(*text, path, out_, [&](const SudoInclude& include) {
            return follow(include, path.substr(0, path.rfind('/')), depth);
        });
    }

private:
    Status follow(const SudoInclude& include, const std::string& folder, int depth)
    {
        if (include.path.find('%') != std::string::npos) {
            return Error{ErrorKind::Unsupported, 0, include.origin.text() + " includes a file by the name of the host"};
        }
        const std::string path = include.path.starts_with('/') ? include.path : folder + "/" + include.path;
        if (!include.is_folder) {
            return file(path, depth + 1);
        }
        TRY_ASSIGN(const auto names, host::list_optional(facts_.host(), path));
        for (const auto& name : names) {
            if (name.find('.') == std::string::npos && !name.ends_with('~')) { // packages' leftovers and backups
                TRY(file(path + "/" + name, depth + 1));
            }
        }
        return success();
    }

    Facts& facts_;
    Sudoers& out_;
    std::size_t files_ = 0;
};

} // namespace

Status parse_sudoers(std::string_view text, const std::string& file, Sudoers& out,
                     const std::function<Status(const SudoInclude&)>& include)
{
    constexpr std::string_view kDefaults = "Defaults";
    for (const auto& line : long_lines(text)) {
        const Origin origin{file, line.number};
        const auto whole = trimmed(line.text);
        SudoInclude found;
        if (parse_include(whole, origin, found)) {
            TRY(include(found));
            continue;
        }
        const auto said = trimmed(without_comment(whole));
        if (said.empty() || is_alias(said)) {
            continue;
        }
        if (said.starts_with(kDefaults) && said.size() > kDefaults.size() &&
            std::string_view(" \t@>:!").find(said[kDefaults.size()]) != std::string_view::npos) {
            add_defaults(said.substr(kDefaults.size()), origin, out);
        } else if (has_no_password_tag(said)) {
            out.no_password.push_back(origin);
        }
    }
    return success();
}

Result<Sudoers> Sudoers::read(Facts& facts)
{
    Sudoers out;
    TRY_ASSIGN(out.is_there, host::exists(facts.host(), "/etc/sudoers"));
    TRY(Reader(facts, out).file("/etc/sudoers", 0));
    return out;
}

} // namespace hostward::hardening
