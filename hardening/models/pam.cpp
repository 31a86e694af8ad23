// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/pam.h"

#include "agent/base/text.h"
#include "hardening/models/account_fields.h"
#include "hardening/models/conf_files.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr int kDepthMax = 16;             // libpam's own limit is the same
constexpr std::size_t kEntriesMax = 4096; // of one stack
constexpr std::array<std::string_view, 4> kTypes{"auth", "account", "password", "session"};
// libpam looks in the administrator's folder first.
constexpr std::array<const char*, 3> kFolders{"/usr/lib/pam.d", "/usr/etc/pam.d", "/etc/pam.d"};

/// A line with those that a backslash at its end joins to it.
struct LongLine {
    std::string text;
    std::uint32_t number = 0;
};

std::vector<LongLine> long_lines(std::string_view text)
{
    std::vector<LongLine> lines;
    bool is_open = false;
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        line = line.substr(0, line.find('#'));
        line = trimmed(line);
        if (!is_open) {
            lines.push_back({"", number});
        }
        is_open = line.ends_with('\\');
        line.remove_suffix(is_open ? 1 : 0);
        auto& joined = lines.back().text;
        joined += (joined.empty() || line.empty() ? "" : " ") + std::string(line);
    });
    return lines;
}

/// Words, of which `[...]` is one; a `\]` in it stands for the bracket.
std::vector<std::string> pam_words(std::string_view line)
{
    std::vector<std::string> found;
    for (auto rest = trimmed(line); !rest.empty(); rest = trimmed(rest)) {
        std::string word;
        if (rest[0] != '[') {
            const auto end = std::min(rest.find_first_of(" \t"), rest.size());
            found.emplace_back(rest.substr(0, end));
            rest.remove_prefix(end);
            continue;
        }
        std::size_t at = 1;
        for (; at < rest.size() && rest[at] != ']'; ++at) {
            at += rest[at] == '\\' && at + 1 < rest.size() && rest[at + 1] == ']' ? 1U : 0U;
            word += rest[at];
        }
        found.push_back("[" + word + "]");
        rest.remove_prefix(std::min(at + 1, rest.size()));
    }
    return found;
}

std::string module_name(std::string_view path)
{
    path = path.substr(path.rfind('/') + 1); // npos + 1 is 0
    path = path.ends_with(".so") ? path.substr(0, path.size() - 3) : path;
    return std::string(path);
}

std::string control_text(const std::string& word)
{
    if (!word.starts_with('[')) {
        return lower(word);
    }
    std::string text;
    for (const auto action : words(std::string_view(word).substr(1, word.size() - 2))) {
        text += (text.empty() ? "[" : " ") + std::string(action);
    }
    return text + "]";
}

std::optional<PamLine> parse_line(const LongLine& line, const std::string& file)
{
    const auto parts = pam_words(line.text);
    PamLine out;
    out.entry.origin = {file, line.number};
    if (parts.size() == 2 && lower(parts[0]) == "@include") {
        out.kind = PamLine::Kind::IncludeAll;
        out.file = parts[1];
        return out;
    }
    if (parts.size() < 3) {
        return std::nullopt;
    }
    out.entry.may_be_missing = parts[0].starts_with('-');
    out.entry.type = lower(parts[0].substr(out.entry.may_be_missing ? 1 : 0));
    if (std::ranges::find(kTypes, out.entry.type) == kTypes.end()) {
        return std::nullopt;
    }
    out.entry.control = control_text(parts[1]);
    if (out.entry.control == "include" || out.entry.control == "substack") {
        out.kind = out.entry.control == "include" ? PamLine::Kind::Include : PamLine::Kind::Substack;
        out.file = parts[2];
        return out;
    }
    out.entry.module = module_name(parts[2]);
    for (std::size_t i = 3; i < parts.size(); ++i) {
        const bool is_quoted = parts[i].starts_with('[');
        out.entry.arguments.push_back(is_quoted ? parts[i].substr(1, parts[i].size() - 2) : parts[i]);
    }
    return out;
}

/// Follows includes of one stack.
class Flattener {
public:
    Flattener(const PamServices& services, const std::string& type) : services_(services), type_(type) {}

    Status add(const std::string& name, int depth, int substacks)
    {
        const auto file = services_.files.find(name.substr(name.rfind('/') + 1));
        if (file == services_.files.end()) {
            return Error{ErrorKind::NotFound, 0, "there is no PAM service " + quote(name)};
        }
        if (depth > kDepthMax || out.size() > kEntriesMax) {
            return Error{ErrorKind::Exhausted, 0, "the PAM service " + quote(name) + " includes too much"};
        }
        if (!file->second.malformed.empty()) {
            return invalid_error("libpam does not take the line at " + file->second.malformed.front().text());
        }
        for (const auto& line : file->second.lines) {
            if (line.kind == PamLine::Kind::IncludeAll) {
                TRY(add(line.file, depth + 1, substacks));
            } else if (line.entry.type != type_) {
                continue;
            } else if (line.kind == PamLine::Kind::Module) {
                out.push_back(line.entry);
                out.back().depth = substacks;
            } else {
                TRY(add(line.file, depth + 1, substacks + (line.kind == PamLine::Kind::Substack ? 1 : 0)));
            }
        }
        return success();
    }

    std::vector<PamEntry> out;

private:
    const PamServices& services_;
    const std::string& type_;
};

} // namespace

std::optional<std::string> PamEntry::argument(std::string_view name) const
{
    std::optional<std::string> found;
    for (const std::string_view given : arguments) {
        if (given == name) {
            found = "";
        } else if (given.size() > name.size() && given.starts_with(name) && given[name.size()] == '=') {
            found = std::string(given.substr(name.size() + 1));
        }
    }
    return found;
}

PamFile parse_pam(std::string_view text, const std::string& file)
{
    PamFile out;
    for (const auto& line : long_lines(text)) {
        if (line.text.empty()) {
            continue;
        }
        auto parsed = parse_line(line, file);
        if (parsed) {
            out.lines.push_back(std::move(*parsed));
        } else {
            out.malformed.push_back({file, line.number});
        }
    }
    return out;
}

Result<PamServices> PamServices::read(Facts& facts)
{
    PamServices out;
    for (const std::string folder : kFolders) {
        TRY_ASSIGN(const auto names, host::list_optional(facts.host(), folder));
        for (const auto& name : names) {
            const std::string path = folder + "/" + name;
            const auto text = facts.host().read(path);
            if (text) {
                out.files.insert_or_assign(name, parse_pam(*text, path));
            } else if (text.error().kind != ErrorKind::NotFound && text.error().kind != ErrorKind::Invalid) {
                return text.error(); // neither a link that leads nowhere nor a folder
            }
        }
    }
    return out;
}

Result<std::vector<PamEntry>> PamServices::stack(const std::string& service, const std::string& type) const
{
    Flattener flattener(*this, type);
    TRY(flattener.add(service, 0, 0));
    return std::move(flattener.out);
}

void parse_pam_settings(std::string_view text, const std::string& file, PamSettings& out)
{
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        line = trimmed(line.substr(0, line.find('#')));
        if (line.empty()) {
            return;
        }
        const auto name_end = std::min(line.find_first_of(" \t="), line.size());
        auto value = trimmed(line.substr(name_end));
        value = trimmed(value.starts_with('=') ? value.substr(1) : value);
        out.values.insert_or_assign(std::string(line.substr(0, name_end)),
                                    std::pair(std::string(value), Origin{file, number}));
    });
}

namespace {

/// Where distributions keep the modules.
Result<std::vector<std::string>> module_folders(Facts& facts)
{
    std::vector<std::string> folders{"/usr/lib64/security", "/usr/lib/security", "/lib64/security", "/lib/security"};
    for (const std::string lib : {"/usr/lib", "/lib"}) {
        TRY_ASSIGN(const auto names, host::list_optional(facts.host(), lib));
        for (const auto& name : names) {
            if (name.ends_with("-linux-gnu")) {
                folders.push_back(lib + "/" + name + "/security");
            }
        }
    }
    return folders;
}

/// pam_pwhistory learned to read its file in Linux-PAM 1.5.3, and distributions took that back to older ones: so the
/// module itself is asked, by the name that is compiled into it.
Result<bool> knows_its_file(Facts& facts, const std::string& module, const std::string& file)
{
    TRY_ASSIGN(const auto folders, module_folders(facts));
    for (const auto& folder : folders) {
        TRY_ASSIGN(const auto program, host::read_optional(facts.host(), folder + "/" + module + ".so"));
        if (program) {
            return program->find(file) != std::string::npos;
        }
    }
    return Error{ErrorKind::NotFound, 0, "whether " + module + " reads " + file + ": the module is nowhere"};
}

} // namespace

Result<PamSettings> read_pam_settings(Facts& facts, const std::string& module, const std::string& path)
{
    PamSettings out;
    const std::string name = module == "pam_faillock"    ? "faillock"
                             : module == "pam_pwquality" ? "pwquality"
                             : module == "pam_pwhistory" ? "pwhistory"
                                                         : "";
    if (name.empty()) {
        return out;
    }
    const std::string main = path.empty() ? "/etc/security/" + name + ".conf" : path;
    if (module == "pam_pwquality" && path.empty()) { // the folder first: the file has the last word
        const std::string folder = main + ".d";
        TRY_ASSIGN(const auto names, host::list_optional(facts.host(), folder));
        for (const auto& file : names) {
            if (file.ends_with(".conf")) {
                TRY_ASSIGN(const auto text, host::read_optional(facts.host(), folder + "/" + file));
                parse_pam_settings(text.value_or(""), folder + "/" + file, out);
            }
        }
    }
    TRY_ASSIGN(const auto text, host::read_optional(facts.host(), main));
    if (text && module == "pam_pwhistory") {
        TRY_ASSIGN(const bool is_read, knows_its_file(facts, module, name + ".conf"));
        if (!is_read) {
            return out;
        }
    }
    parse_pam_settings(text.value_or(""), main, out);
    return out;
}

} // namespace hostward::hardening
