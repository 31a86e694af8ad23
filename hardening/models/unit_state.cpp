// SPDX-License-Identifier: Apache-2.0
// `systemctl is-enabled` from the folders alone. Its rules are in systemctl(1); the order in which they are tried is
// held to the real program by tests/e2e/models/units_test.cpp.
#include "agent/base/text.h"
#include "hardening/models/unit_names.h"
#include "hardening/models/units.h"

#include <algorithm>

namespace hostward::hardening {

namespace {

using Kind = UnitFolder::Kind;
using Entries = std::map<std::string, UnitFolder::Entry>;

constexpr int kLinksMax = 64;

/// A unit found by following names.
struct Found {
    const UnitFolder* folder = nullptr;
    std::string name; ///< of the unit that is meant in the end
    std::string path; ///< the file or link that was found for it
    bool is_masked = false;
};

struct Place {
    const UnitFolder* folder;
    const UnitFolder::Entry* entry;
    std::string name;
};

std::optional<Place> place_of(const Units& units, const std::string& name)
{
    for (const auto& folder : units.folders) {
        if (const auto entry = folder.entries.find(name); entry != folder.entries.end()) {
            return Place{&folder, &entry->second, name};
        }
    }
    return std::nullopt;
}

/// The entry of a unit; for an instance without one, that of its template.
std::optional<Place> lookup(const Units& units, const std::string& name)
{
    auto place = place_of(units, name);
    if (const UnitName parts = parse_unit_name(name); !place && parts.is_instance()) {
        place = place_of(units, parts.template_name());
    }
    return place;
}

bool is_in_search_path(const Units& units, const std::string& path)
{
    const std::string folder = path.substr(0, path.rfind('/'));
    return std::ranges::any_of(units.folders, [&](const auto& each) {
        return each.path == folder || "/usr" + each.path == folder || each.path == "/usr" + folder;
    });
}

std::string absolute(const std::string& folder, const std::string& target)
{
    std::vector<std::string_view> parts;
    const std::string whole = target.starts_with('/') ? target : folder + "/" + target;
    for (const auto part : split(whole, '/')) {
        if (part == ".." && !parts.empty()) {
            parts.pop_back();
        } else if (!part.empty() && part != "." && part != "..") {
            parts.push_back(part);
        }
    }
    std::string path;
    for (const auto part : parts) {
        path.append("/").append(part);
    }
    return path;
}

Result<bool> is_null(const host::Host& host, const std::string& path, const std::string& target)
{
    if (target == "/dev/null") {
        return true;
    }
    const auto facts = host.facts(path);
    if (!facts) {
        return facts.error();
    }
    return facts->type == host::FileType::Regular && facts->size == 0;
}

/// The name that `target` stands for when `name` is a link to it: an instance stays one.
std::string meant_by(const std::string& name, std::string_view target)
{
    const UnitName from = parse_unit_name(name);
    UnitName to = parse_unit_name(target);
    return from.is_instance() && to.is_template() ? to.prefix + "@" + from.instance + to.suffix : std::string(target);
}

/// Whether systemd takes a link between units for one: of one type, templates to templates, an instance to its like.
bool may_stand_for(const std::string& name, std::string_view target)
{
    const UnitName from = parse_unit_name(name);
    const UnitName to = parse_unit_name(target);
    if (from.suffix != to.suffix || from.has_at != to.has_at) {
        return false;
    }
    return from.is_instance() ? to.is_template() || to.instance == from.instance
                              : to.is_template() == from.is_template();
}

/// Follows links between units to the one that has the text. Nothing: there is no such unit.
Result<std::optional<Found>> discover(Facts& facts, const Units& units, std::string name)
{
    for (int links = 0; links < kLinksMax; ++links) {
        const auto place = lookup(units, name);
        if (!place) {
            return std::optional<Found>();
        }
        Found found{place->folder, name, place->folder->path + "/" + place->name, false};
        const std::string target =
            place->entry->is_link ? absolute(place->folder->path, place->entry->target) : std::string();
        auto masked = is_null(facts.host(), found.path, target);
        if (!masked && masked.error().kind != ErrorKind::NotFound) {
            return masked.error();
        }
        found.is_masked = masked.ok() && *masked;
        // A link from an instance to its own template is the template.
        const bool is_alias = place->entry->is_link && base_name(target) != place->name &&
                              is_in_search_path(units, target) && meant_by(name, base_name(target)) != name;
        if (found.is_masked || !is_alias) {
            return masked ? std::optional(found) : std::nullopt; // a link that leads nowhere is no unit
        }
        if (!may_stand_for(place->name, base_name(target))) {
            return invalid_error(quote(found.path) + " leads to a unit that it cannot stand for: " + quote(target));
        }
        name = meant_by(name, base_name(target));
    }
    return Error{ErrorKind::Invalid, ELOOP, "the links of unit " + quote(name) + " lead in a circle"};
}

/// NAME.d of all folders, in the order of the files' names; of one name the first folder's.
std::map<std::string, std::string> drop_ins_of(const Units& units, const std::string& name)
{
    std::map<std::string, std::string> files;
    std::vector<std::string> owners{name};
    if (const UnitName parts = parse_unit_name(name); parts.is_instance()) {
        owners.push_back(parts.template_name());
    }
    for (const auto& owner : owners) {
        for (const auto& folder : units.folders) {
            const auto found = folder.drop_ins.find(owner + ".d");
            for (const auto& file : found == folder.drop_ins.end() ? std::vector<std::string>{} : found->second) {
                files.emplace(file, folder.path + "/" + found->first + "/" + file);
            }
        }
    }
    return files;
}

Result<UnitText> text_of(Facts& facts, const Units& units, const Found& found)
{
    UnitText text;
    TRY_ASSIGN(const std::string content, facts.host().read(found.path));
    apply_unit_text(content, text);
    for (const auto& [name, path] : drop_ins_of(units, found.name)) {
        const auto drop_in = facts.host().facts(path);
        if (drop_in && drop_in->type == host::FileType::Regular) {
            TRY_ASSIGN(const std::string more, facts.host().read(path));
            apply_unit_text(more, text);
        } else if (!drop_in && drop_in.error().kind != ErrorKind::NotFound) {
            return drop_in.error();
        }
    }
    return text;
}

/// Looks for links that enable one unit.
class LinkSearch {
public:
    LinkSearch(const Units& units, const Found& found, const UnitText& text)
        : units_(units), found_(found), text_(text), name_(parse_unit_name(found.name))
    {
    }

    /// `by_name`: only links that enabling it would make. Nothing: none.
    [[nodiscard]] std::optional<UnitState> run(bool by_name) const
    {
        std::optional<UnitState> linked;
        bool is_in_runtime = false;
        bool is_anywhere = false;
        bool is_below = false; // of less weight than the unit itself
        for (const auto& folder : units_.folders) {
            bool same_name = false;
            if (has_link(folder, by_name, is_below, same_name)) {
                if (folder.kind == Kind::Config) {
                    return UnitState::Enabled;
                }
                (is_runtime(folder) ? is_in_runtime : is_anywhere) = true;
            } else if (same_name && folder.kind == Kind::Config) {
                linked = UnitState::Linked;
            } else if (same_name && is_runtime(folder) && !linked) {
                linked = UnitState::LinkedRuntime;
            }
            is_below = is_below || &folder == found_.folder;
        }
        if (is_in_runtime) {
            return UnitState::EnabledRuntime;
        }
        return is_anywhere && name_.is_instance() ? UnitState::Static : linked;
    }

private:
    /// What `--runtime` writes.
    [[nodiscard]] static bool is_runtime(const UnitFolder& folder) { return folder.path.starts_with("/run/"); }

    [[nodiscard]] bool is_known_name(const std::string& name) const
    {
        const bool is_default = name_.is_template() && !text_.default_instance.empty() &&
                                name == name_.prefix + "@" + text_.default_instance + name_.suffix;
        return name == found_.name || is_default || std::ranges::find(text_.aliases, name) != text_.aliases.end();
    }

    /// The unit, or an instance of the template that it is.
    [[nodiscard]] bool is_mine(const std::string& name) const
    {
        return name == found_.name || (name_.is_template() && parse_unit_name(name).has_at &&
                                       parse_unit_name(name).template_name() == found_.name);
    }

    [[nodiscard]] bool has_link(const UnitFolder& folder, bool by_name, bool is_below, bool& same_name) const
    {
        for (const auto& [pull, entries] : folder.pulls) {
            for (const auto& [name, entry] : entries) {
                if (entry.is_link && is_mine(name) && (!by_name || is_known_name(name))) {
                    return true;
                }
            }
        }
        for (const auto& [name, entry] : folder.entries) {
            if (!entry.is_link) {
                continue;
            }
            const bool is_same_target = base_name(entry.target) == found_.name;
            const bool is_same_name = !is_below && name == found_.name; // below, the unit itself hides it
            if (is_same_name && is_same_target) {
                same_name = true;
            } else if ((is_same_name || is_same_target) && (!by_name || is_known_name(name))) {
                return true;
            }
        }
        return false;
    }

    const Units& units_;
    const Found& found_;
    const UnitText& text_;
    UnitName name_;
};

UnitState state_of_links(const Units& units, const Found& found, const UnitText& text)
{
    const LinkSearch search(units, found, text);
    if (const auto state = search.run(true)) {
        return *state;
    }
    if (search.run(false)) {
        return UnitState::Indirect;
    }
    if (!text.aliases.empty() || !text.wanted_by.empty() || !text.required_by.empty() || !text.upheld_by.empty()) {
        return UnitState::Disabled;
    }
    return text.also.empty() ? UnitState::Static : UnitState::Indirect;
}

/// Names under which a unit is known: its own and those that are links to it.
std::set<std::string> names_of(const Units& units, const std::string& name)
{
    std::set<std::string> names{name};
    for (const auto& folder : units.folders) {
        for (const auto& [link, entry] : folder.entries) {
            if (entry.is_link && base_name(entry.target) == name) {
                names.insert(link);
            }
        }
    }
    return names;
}

} // namespace

std::string_view name_of(UnitState state)
{
    switch (state) {
    case UnitState::Absent: return "not-found";
    case UnitState::Enabled: return "enabled";
    case UnitState::EnabledRuntime: return "enabled-runtime";
    case UnitState::Linked: return "linked";
    case UnitState::LinkedRuntime: return "linked-runtime";
    case UnitState::Alias: return "alias";
    case UnitState::Masked: return "masked";
    case UnitState::MaskedRuntime: return "masked-runtime";
    case UnitState::Static: return "static";
    case UnitState::Disabled: return "disabled";
    case UnitState::Indirect: return "indirect";
    case UnitState::Generated: return "generated";
    case UnitState::Transient: return "transient";
    }
    return "not-found";
}

Result<UnitState> Units::state(Facts& facts, const std::string& name) const
{
    TRY_ASSIGN(const auto found, discover(facts, *this, name));
    if (!found) {
        return UnitState::Absent;
    }
    if (found->is_masked) {
        return found->folder->path.starts_with("/run/") ? UnitState::MaskedRuntime : UnitState::Masked;
    }
    if (found->name != name && !parse_unit_name(found->name).is_instance()) {
        return UnitState::Alias;
    }
    if (found->folder->kind == Kind::Generator || found->folder->kind == Kind::Transient) {
        return found->folder->kind == Kind::Generator ? UnitState::Generated : UnitState::Transient;
    }
    TRY_ASSIGN(const UnitText text, text_of(facts, *this, *found));
    return state_of_links(*this, *found, text);
}

std::string Units::path_of(const std::string& name) const
{
    const auto place = lookup(*this, name);
    return place ? place->folder->path + "/" + place->name : "";
}

std::vector<std::string> Units::pulled_by(const std::string& name) const
{
    std::vector<std::string> links;
    for (const auto& each : names_of(*this, name)) {
        for (const auto& folder : folders) {
            for (const auto& [pull, entries] : folder.pulls) {
                if (entries.contains(each)) {
                    links.push_back(folder.path + "/" + pull + "/" + each);
                }
            }
        }
    }
    return links;
}

Result<std::vector<std::string>> Units::activated_by(Facts& facts, const std::string& name) const
{
    std::vector<std::string> found;
    const auto mine = names_of(*this, name);
    for (const auto* suffix : {".socket", ".timer", ".path"}) {
        for (const auto& trigger : names(suffix)) {
            TRY_ASSIGN(const auto unit, discover(facts, *this, trigger));
            if (!unit || unit->is_masked || pulled_by(trigger).empty()) {
                continue;
            }
            TRY_ASSIGN(const UnitText text, text_of(facts, *this, *unit));
            const UnitName parts = parse_unit_name(trigger);
            // A socket with Accept=yes starts instances of a template of its own name.
            const std::string own = parts.prefix + (parts.has_at ? "@" + parts.instance : "");
            const std::string starts = text.starts.empty() ? own + ".service" : text.starts.front();
            if (mine.contains(starts) || mine.contains(own + "@.service")) {
                found.push_back(trigger);
            }
        }
    }
    return found;
}

} // namespace hostward::hardening
