// SPDX-License-Identifier: Apache-2.0
#include "agent/host/unit_files.h"

#include "agent/base/text.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>

namespace hostward::host {

namespace {

namespace fs = std::filesystem;

/// In the order of systemd.unit(5): the first file of a name counts.
constexpr std::array kUnitFolders{
    "etc/systemd/system.control",  "run/systemd/system.control",   "run/systemd/transient",
    "run/systemd/generator.early", "etc/systemd/system",           "run/systemd/system",
    "run/systemd/generator",       "usr/local/lib/systemd/system", "usr/lib/systemd/system",
    "lib/systemd/system",          "run/systemd/generator.late",
};

std::string trimmed(std::string_view text)
{
    const auto first = text.find_first_not_of(" \t\r");
    const auto last = text.find_last_not_of(" \t\r");
    return first == text.npos ? "" : std::string(text.substr(first, last - first + 1));
}

Result<std::string> read_unit(const fs::path& path)
{
    std::ifstream file(path);
    std::string text(kUnitFileBytesMax + 1, '\0');
    if (!file || !file.read(text.data(), static_cast<std::streamsize>(text.size())).eof()) {
        return Error{ErrorKind::System, 0, "cannot read unit file " + quote(path.string())};
    }
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
}

/// Entries of a folder in the order of their names; absent: none. An entry that cannot be looked at is an error.
Result<std::vector<fs::path>> entries(const fs::path& folder)
{
    std::error_code status;
    std::vector<fs::path> found;
    for (fs::directory_iterator at(folder, status), end; !status && at != end; at.increment(status)) {
        found.push_back(at->path());
    }
    if (status && status != std::errc::no_such_file_or_directory && status != std::errc::not_a_directory) {
        return system_error(status.value(), "cannot list " + quote(folder.string()));
    }
    std::ranges::sort(found);
    return found;
}

/// Whether `path` is there at all; a link that leads nowhere is.
bool is_present(const fs::path& path)
{
    std::error_code status;
    return fs::symlink_status(path, status).type() != fs::file_type::not_found && !status;
}

bool leads_to_null(const fs::path& path)
{
    std::error_code status;
    return fs::read_symlink(path, status) == "/dev/null" || (fs::is_empty(path, status) && !status);
}

/// As systemd reads a boolean. Nothing: no boolean, which systemd leaves out.
std::optional<bool> boolean(std::string value)
{
    constexpr std::array<std::string_view, 6> kYes{"1", "yes", "y", "true", "t", "on"};
    constexpr std::array<std::string_view, 6> kNo{"0", "no", "n", "false", "f", "off"};
    std::ranges::transform(value, value.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    if (std::ranges::find(kYes, value) != kYes.end()) {
        return true;
    }
    return std::ranges::find(kNo, value) != kNo.end() ? std::optional(false) : std::nullopt;
}

void apply(const std::string& text, UnitFile& unit)
{
    for (const auto& [key, value] : parse_unit_section(text)) {
        if (key == "DefaultDependencies") {
            unit.has_default_dependencies = boolean(value).value_or(unit.has_default_dependencies);
        }
        if (key != "Before") {
            continue;
        }
        // An empty assignment does not empty this list: systemd takes no dependency away.
        for (const auto name : split(value, ' ')) {
            if (!name.empty()) {
                unit.before.emplace_back(name);
            }
        }
    }
}

/// Folders of drop-ins for a-b.service, the first one counts most: a-b.service.d and a-.service.d in each folder of
/// units, then service.d.
std::vector<std::string> drop_in_folders(const std::string& name)
{
    const std::string type = name.substr(std::min(name.rfind('.'), name.size()));
    std::vector<std::string> names{name + ".d"};
    for (auto dash = name.rfind('-'); dash != std::string::npos && dash > 0; dash = name.rfind('-', dash - 1)) {
        names.push_back(name.substr(0, dash + 1) + type + ".d");
    }
    std::vector<std::string> folders;
    for (const auto* folder : kUnitFolders) {
        for (const auto& drop_ins : names) {
            folders.push_back(std::string(folder) + "/" + drop_ins);
        }
    }
    for (const auto* folder : kUnitFolders) {
        folders.push_back(std::string(folder) + "/" + type.substr(std::min<std::size_t>(type.size(), 1)) + ".d");
    }
    return folders;
}

Status apply_drop_ins(const fs::path& root, const std::string& name, UnitFile& unit)
{
    // Of all folders in the order of the files' names; of one name the first folder's.
    std::map<std::string, fs::path> files;
    for (const auto& folder : drop_in_folders(name)) {
        TRY_ASSIGN(const auto found, entries(root / folder));
        for (const auto& path : found) {
            if (path.extension() == ".conf") {
                files.emplace(path.filename().string(), path);
            }
        }
    }
    for (const auto& [file, path] : files) {
        if (!leads_to_null(path)) {
            TRY_ASSIGN(const std::string text, read_unit(path));
            apply(text, unit);
        }
    }
    return success();
}

/// A link NAME in some folder *.wants or *.requires.
Result<bool> is_wanted(const fs::path& root, const std::string& name)
{
    for (const auto* folder : kUnitFolders) {
        TRY_ASSIGN(const auto found, entries(root / folder));
        for (const auto& path : found) {
            const bool pulls = path.extension() == ".wants" || path.extension() == ".requires";
            if (pulls && is_present(path / name)) {
                return true;
            }
        }
    }
    return false;
}

} // namespace

std::vector<UnitAssignment> parse_unit_text(const std::string& text)
{
    std::vector<UnitAssignment> found;
    std::string joined;
    std::string section;
    for (const auto raw : split(text, '\n')) {
        const std::string line = trimmed(raw);
        if (!line.empty() && (line[0] == '#' || line[0] == ';')) {
            continue; // also within a continued line
        }
        if (line.ends_with('\\')) {
            joined += line.substr(0, line.size() - 1) + " ";
            continue;
        }
        const std::string whole = trimmed(joined + line);
        joined.clear();
        if (whole.starts_with('[')) {
            section = whole.ends_with(']') ? whole.substr(1, whole.size() - 2) : "";
            continue;
        }
        const auto equals = whole.find('=');
        if (!section.empty() && equals != std::string::npos) {
            found.push_back({section, trimmed(whole.substr(0, equals)), trimmed(whole.substr(equals + 1))});
        }
    }
    return found;
}

std::vector<std::pair<std::string, std::string>> parse_unit_section(const std::string& text)
{
    std::vector<std::pair<std::string, std::string>> found;
    for (auto& [section, key, value] : parse_unit_text(text)) {
        if (section == "Unit") {
            found.emplace_back(std::move(key), std::move(value));
        }
    }
    return found;
}

Result<UnitFile> unit_file(const std::string& root, const std::string& name)
{
    UnitFile unit;
    for (const auto* folder : kUnitFolders) {
        const fs::path path = fs::path(root) / folder / name;
        if (!is_present(path)) {
            continue;
        }
        unit.is_installed = true;
        unit.path = path.string();
        unit.is_masked = leads_to_null(path);
        break;
    }
    if (!unit.is_installed || unit.is_masked) {
        return unit;
    }
    TRY_ASSIGN(const std::string text, read_unit(unit.path));
    apply(text, unit);
    TRY(apply_drop_ins(root, name, unit));
    TRY_ASSIGN(unit.is_enabled, is_wanted(root, name));
    return unit;
}

Result<std::vector<std::string>> unit_names(const std::string& root)
{
    std::set<std::string> names;
    for (const auto* folder : kUnitFolders) {
        TRY_ASSIGN(const auto found, entries(fs::path(root) / folder));
        for (const auto& path : found) {
            const auto kind = path.extension();
            if (kind == ".service" || kind == ".socket") {
                names.insert(path.filename().string());
            }
        }
    }
    return std::vector<std::string>(names.begin(), names.end());
}

} // namespace hostward::host
