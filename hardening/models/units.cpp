// SPDX-License-Identifier: Apache-2.0
// Reads the folders; unit_state.cpp judges what they say.
#include "hardening/models/units.h"

#include "agent/base/text.h"
#include "agent/host/unit_files.h"
#include "hardening/models/unit_names.h"

#include <algorithm>

namespace hostward::hardening {

namespace {

using Entries = std::map<std::string, UnitFolder::Entry>;
using Kind = UnitFolder::Kind;

struct Place {
    const char* path;
    Kind kind;
};
/// In the order of systemd.unit(5): the first file of a name counts.
constexpr std::array kPlaces{
    Place{"/etc/systemd/system.control", Kind::Vendor},
    Place{"/run/systemd/system.control", Kind::RuntimeConfig},
    Place{"/run/systemd/transient", Kind::Transient},
    Place{"/run/systemd/generator.early", Kind::Generator},
    Place{"/etc/systemd/system", Kind::Config},
    Place{"/etc/systemd/system.attached", Kind::Vendor},
    Place{"/run/systemd/system", Kind::RuntimeConfig},
    Place{"/run/systemd/system.attached", Kind::RuntimeConfig},
    Place{"/run/systemd/generator", Kind::Generator},
    Place{"/usr/local/lib/systemd/system", Kind::Vendor},
    Place{"/lib/systemd/system", Kind::Vendor},
    Place{"/usr/lib/systemd/system", Kind::Vendor},
    Place{"/run/systemd/generator.late", Kind::Generator},
};

bool is_pull(std::string_view name)
{
    return name.ends_with(".wants") || name.ends_with(".requires") || name.ends_with(".upholds");
}

/// A link's target is read, a directory is nothing here.
Result<std::optional<UnitFolder::Entry>> look_at(const host::Host& host, const std::string& path)
{
    TRY_ASSIGN(const auto facts, host.facts(path, host::Links::Keep));
    if (facts.type == host::FileType::Directory) {
        return std::optional<UnitFolder::Entry>();
    }
    UnitFolder::Entry entry;
    if (facts.type == host::FileType::Symlink) {
        TRY_ASSIGN(entry.target, host.link_target(path));
        entry.is_link = true;
    }
    return std::optional(std::move(entry));
}

Result<Entries> read_pull(const host::Host& host, const std::string& folder)
{
    Entries entries;
    TRY_ASSIGN(const auto names, host::list_optional(host, folder));
    for (const auto& name : names) {
        TRY_ASSIGN(auto entry, look_at(host, folder + "/" + name));
        if (entry) {
            entries.emplace(name, std::move(*entry));
        }
    }
    return entries;
}

Status read_entry(const host::Host& host, const std::string& name, UnitFolder& folder)
{
    const std::string path = folder.path + "/" + name;
    TRY_ASSIGN(auto entry, look_at(host, path));
    if (entry) {
        folder.entries.emplace(name, std::move(*entry));
        return success();
    }
    if (is_pull(name)) {
        TRY_ASSIGN(folder.pulls[name], read_pull(host, path));
    } else if (name.ends_with(".d")) {
        TRY_ASSIGN(auto files, host::list_optional(host, path));
        std::erase_if(files, [](const std::string& file) { return !file.ends_with(".conf"); });
        folder.drop_ins.emplace(name, std::move(files));
    }
    return success();
}

} // namespace

void apply_unit_text(std::string_view text, UnitText& out)
{
    const auto add = [](std::vector<std::string>& list, const std::string& value) {
        if (value.empty()) {
            list.clear();
        }
        for (const auto word : words(value)) {
            list.emplace_back(word);
        }
    };
    for (const auto& [section, key, value] : host::parse_unit_text(std::string(text))) {
        if (section == "Install" && key == "Alias") {
            add(out.aliases, value);
        } else if (section == "Install" && key == "Also") {
            add(out.also, value);
        } else if (section == "Install" && key == "WantedBy") {
            add(out.wanted_by, value);
        } else if (section == "Install" && key == "RequiredBy") {
            add(out.required_by, value);
        } else if (section == "Install" && key == "UpheldBy") {
            add(out.upheld_by, value);
        } else if (section == "Install" && key == "DefaultInstance") {
            out.default_instance = value;
        } else if ((section == "Socket" && key == "Service") ||
                   ((section == "Timer" || section == "Path") && key == "Unit")) {
            out.starts.assign(1, value);
        }
    }
}

Result<Units> Units::read(Facts& facts)
{
    Units units;
    std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
    for (const auto& place : kPlaces) {
        const auto found = facts.host().facts(place.path);
        if (!found && found.error().kind == ErrorKind::NotFound) {
            continue;
        }
        if (!found) {
            return found.error();
        }
        if (!seen.emplace(found->device, found->inode).second) {
            continue; // /lib is /usr/lib
        }
        UnitFolder folder{.path = place.path, .kind = place.kind, .entries = {}, .pulls = {}, .drop_ins = {}};
        TRY_ASSIGN(const auto names, host::list_optional(facts.host(), folder.path));
        for (const auto& name : names) {
            TRY(read_entry(facts.host(), name, folder));
        }
        units.folders.push_back(std::move(folder));
    }
    return units;
}

std::vector<std::string> Units::names(std::string_view suffix) const
{
    std::set<std::string> found;
    for (const auto& folder : folders) {
        for (const auto& [name, entry] : folder.entries) {
            if (name.ends_with(suffix)) {
                found.insert(name);
            }
        }
    }
    return {found.begin(), found.end()};
}

std::map<std::string, RunningUnits::State> parse_list_units(std::string_view text)
{
    std::map<std::string, RunningUnits::State> found;
    for_each_line(text, [&](std::string_view line, std::uint32_t /*number*/) {
        const auto fields = words(line);
        if (fields.size() >= 4) {
            found.emplace(fields[0],
                          RunningUnits::State{std::string(fields[1]), std::string(fields[2]), std::string(fields[3])});
        }
    });
    return found;
}

Result<RunningUnits> RunningUnits::read(Facts& facts)
{
    if (!facts.host().is_running()) {
        return Error{ErrorKind::Unsupported, 0, "nothing runs in an image"};
    }
    TRY_ASSIGN(const bool is_booted, host::exists(facts.host(), "/run/systemd/system")); // as sd_booted(3)
    if (!is_booted) {
        return Error{ErrorKind::Unsupported, 0, "systemd does not run this host"};
    }
    TRY_ASSIGN(const auto answer, facts.host().run({"/usr/bin/systemctl", "list-units", "--all", "--full", "--plain",
                                                    "--no-legend", "--no-pager"}));
    if (answer.exit_code != 0) {
        return Error{ErrorKind::System, 0,
                     "systemctl list-units ended with " + std::to_string(answer.exit_code) + ": " +
                         escape(trimmed(answer.err))};
    }
    return RunningUnits{parse_list_units(answer.out)};
}

std::optional<RunningUnits::State> RunningUnits::find(const std::string& name) const
{
    const auto found = all.find(name);
    return found == all.end() ? std::nullopt : std::optional(found->second);
}

} // namespace hostward::hardening
