// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/sshd_config.h"

#include "agent/base/text.h"
#include "hardening/models/account_fields.h"
#include "hardening/models/file_set.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::string_view kBlanks = " \t\r\n"; // sshd's WHITESPACE
constexpr int kDepthMax = 16;                   // sshd's own limit of nested includes
constexpr std::size_t kLinesMax = 100'000;      // of all files: an include may be repeated
constexpr std::string_view kFolder = "/etc/ssh/";
constexpr std::array<const char*, 2> kEnvironmentFiles{"/etc/default/ssh", "/etc/sysconfig/sshd"};

/// sshd takes `~` for an absolute path, too, and never expands it: one of its working directory, which is `/`.
std::string included_path(const std::string& argument)
{
    if (argument[0] == '/') {
        return argument;
    }
    return (argument[0] == '~' ? "/" : std::string(kFolder)) + argument;
}

/// Cuts the keyword off `text`: it ends at a blank, one `=` or a quote. Nothing: a quote is left open.
std::optional<std::string> take_keyword(std::string_view& text)
{
    auto end = text.find_first_of(" \t\r\n\"=");
    if (end == text.npos) {
        return std::string(std::exchange(text, {}));
    }
    std::string keyword(text.substr(0, end));
    if (text[end] == '"') { // the quoted part belongs to the keyword
        const auto close = text.find('"', end + 1);
        if (close == text.npos) {
            return std::nullopt;
        }
        keyword += text.substr(end + 1, close - end - 1);
        end = close;
        text.remove_prefix(end + 1);
        text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
        return keyword;
    }
    bool has_equals = text[end] == '=';
    text.remove_prefix(end + 1);
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    if (!has_equals && text.starts_with('=')) {
        text.remove_prefix(1);
        text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    }
    return keyword;
}

class Loader {
public:
    explicit Loader(Facts& facts) : facts_(facts) {}

    Result<SshdFile> load(const std::string& path, std::string_view text, int depth)
    {
        SshdFile file{path, {}};
        Status status = success();
        for_each_line(text, [&](std::string_view line, std::uint32_t number) {
            auto parsed = status ? parse_sshd_line(line, {path, number}) : std::nullopt;
            if (!parsed) {
                return;
            }
            if (++lines_ > kLinesMax) {
                status =
                    Error{ErrorKind::Exhausted, 0, "the files that " + quote(path) + " includes have too many lines"};
                return;
            }
            if (parsed->keyword == "include" && parsed->problem.empty()) {
                status = include(*parsed, depth);
            }
            file.lines.push_back(std::move(*parsed));
        });
        TRY(std::move(status));
        return file;
    }

private:
    Status include(SshdLine& line, int depth)
    {
        if (depth >= kDepthMax) {
            line.problem = "includes nest too deep";
            return success();
        }
        for (const auto& argument : line.arguments) {
            if (argument.empty()) {
                line.problem = "an empty file name";
                return success();
            }
            TRY_ASSIGN(const auto paths, expand_pattern(facts_.host(), included_path(argument)));
            for (const auto& path : paths) {
                TRY_ASSIGN(const auto text, host::read_optional(facts_.host(), path));
                if (text) { // it may have gone meanwhile
                    TRY_ASSIGN(auto file, load(path, *text, depth + 1));
                    line.included.push_back(std::move(file));
                }
            }
        }
        return success();
    }

    Facts& facts_;
    std::size_t lines_ = 0;
};

Result<std::string> installed_version(Facts& facts, bool& is_installed)
{
    TRY_ASSIGN(const auto program, host::read_optional(facts.host(), "/usr/sbin/sshd"));
    is_installed = program.has_value();
    return program ? sshd_version_in(*program) : std::string();
}

} // namespace

std::optional<std::vector<std::string>> sshd_arguments(std::string_view text)
{
    std::vector<std::string> arguments;
    std::size_t i = 0;
    while (i < text.size()) {
        if (text[i] == ' ' || text[i] == '\t') {
            ++i;
            continue;
        }
        if (text[i] == '#') {
            break;
        }
        std::string argument;
        char quoted = 0;
        for (; i < text.size(); ++i) {
            const char c = text[i];
            const char next = i + 1 < text.size() ? text[i + 1] : '\0';
            if (c == '\\' && (next == '\'' || next == '"' || next == '\\' || (quoted == 0 && next == ' '))) {
                argument += next;
                ++i;
            } else if (quoted == 0 && (c == ' ' || c == '\t')) {
                break;
            } else if (quoted == 0 && (c == '"' || c == '\'')) {
                quoted = c;
            } else if (quoted != 0 && c == quoted) {
                quoted = 0;
            } else {
                argument += c;
            }
        }
        if (quoted != 0) {
            return std::nullopt;
        }
        arguments.push_back(std::move(argument));
    }
    return arguments;
}

std::optional<SshdLine> parse_sshd_line(std::string_view text, Origin origin)
{
    text = text.substr(0, text.find('\0'));
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r"), text.size()));
    const auto last = text.find_last_not_of(" \t\r\n\f");
    // The first character stays, whatever it is.
    text = text.substr(0, last == text.npos ? std::min<std::size_t>(text.size(), 1) : last + 1);
    if (text.empty()) {
        return std::nullopt;
    }
    auto keyword = take_keyword(text);
    if (keyword && keyword->empty()) { // a blank, quote or `=` came first
        keyword = text.empty() ? std::nullopt : take_keyword(text);
    }
    if (!keyword || keyword->empty() || keyword->front() == '#') {
        return std::nullopt;
    }
    SshdLine line{std::move(origin), lower(*keyword), {}, std::string(text), "", {}};
    auto arguments = sshd_arguments(text);
    if (text.empty()) {
        line.problem = "no argument";
    } else if (!arguments) {
        line.problem = "a quote is left open";
    } else {
        line.arguments = std::move(*arguments);
    }
    return line;
}

std::string sshd_version_in(std::string_view program)
{
    constexpr std::string_view kMark = "OpenSSH_";
    for (auto at = program.find(kMark); at != program.npos; at = program.find(kMark, at + 1)) {
        const auto rest = program.substr(at + kMark.size(), 16);
        const auto end = rest.find_first_not_of("0123456789.");
        // The table of other programs' bugs has names without a portable release.
        if (end != rest.npos && end > 2 && rest[end] == 'p' && rest.find('.') < end) {
            return std::string(rest.substr(0, end));
        }
    }
    return "";
}

std::vector<SshdLine> sshd_options_in(std::string_view text, const std::string& file)
{
    std::vector<SshdLine> lines;
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        line = trimmed(line);
        const auto equals = line.find('=');
        const auto name = line.substr(0, equals);
        if (equals == line.npos || (name != "SSHD_OPTS" && name != "OPTIONS")) {
            return;
        }
        auto value = trimmed(line.substr(equals + 1));
        if (value.size() > 1 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0]) {
            value = value.substr(1, value.size() - 2);
        }
        const auto options = words(value);
        for (std::size_t i = 0; i < options.size(); ++i) {
            const bool is_port = options[i].starts_with("-p");
            if (!is_port && !options[i].starts_with("-o")) {
                continue;
            }
            auto argument = options[i].substr(2);
            if (argument.empty() && i + 1 < options.size()) {
                argument = options[++i];
            }
            if (auto option = parse_sshd_line((is_port ? "Port " : "") + std::string(argument), {file, number});
                option) {
                lines.push_back(std::move(*option));
            }
        }
    });
    return lines;
}

Result<SshdConfig> SshdConfig::read(Facts& facts)
{
    SshdConfig out;
    TRY_ASSIGN(out.version, installed_version(facts, out.is_installed));
    for (const auto* path : kEnvironmentFiles) {
        TRY_ASSIGN(const auto text, host::read_optional(facts.host(), path));
        std::ranges::move(sshd_options_in(text.value_or(""), path), std::back_inserter(out.command_line.lines));
    }
    const std::string main = std::string(kFolder) + "sshd_config";
    TRY_ASSIGN(const auto text, host::read_optional(facts.host(), main));
    if (text) {
        out.is_there = true;
        TRY_ASSIGN(out.file, Loader(facts).load(main, *text, 0));
    }
    return out;
}

} // namespace hostward::hardening
