// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/dconf.h"

#include "agent/base/text.h"
#include "hardening/models/conf_files.h"
#include "hardening/models/ini.h"

#include <algorithm>

namespace hostward::hardening {

namespace {

constexpr std::string_view kSystemDb = "system-db:";
constexpr auto kDatabases = "/etc/dconf/db/";

/// Files of the folder, sorted; all names count, not only some suffix. And the newest change among them.
struct Sources {
    std::vector<ConfFile> files;
    std::int64_t newest_s = 0;
};

Result<Sources> sources(const host::Host& host, const std::string& folder)
{
    Sources found;
    TRY_ASSIGN(const auto names, host::list_optional(host, folder));
    for (const auto& name : names) {
        const std::string path = folder + "/" + name;
        TRY_ASSIGN(const auto facts, host.facts(path));
        if (name.starts_with('.') || facts.type != host::FileType::Regular) {
            continue;
        }
        TRY_ASSIGN(auto text, host.read(path));
        found.files.push_back({path, std::move(text)});
        found.newest_s = std::max(found.newest_s, facts.modified_s);
    }
    return found;
}

/// Users get the compiled file; `dconf update` makes it.
Result<std::string> why_stale(const host::Host& host, const std::string& name, std::int64_t newest_s)
{
    const std::string path = std::string(kDatabases) + name;
    const auto compiled = host.facts(path);
    if (!compiled && compiled.error().kind != ErrorKind::NotFound) {
        return compiled.error();
    }
    if (!compiled) {
        return path + " is missing: dconf update has not been run";
    }
    return compiled->modified_s < newest_s ? path + " is older than its key files: dconf update has not been run"
                                           : std::string();
}

Result<DconfDatabase> read_database(const host::Host& host, const std::string& name)
{
    DconfDatabase database;
    database.name = name;
    const std::string folder = std::string(kDatabases) + name + ".d";
    TRY_ASSIGN(const auto keys, sources(host, folder));
    for (const auto& file : keys.files) {
        for (const auto& entry : parse_key_file(file.text, file.path).entries) {
            database.values.insert_or_assign("/" + entry.section + "/" + entry.key,
                                             DconfValue{entry.value, entry.where});
        }
    }
    TRY_ASSIGN(const auto locks, sources(host, folder + "/locks"));
    for (const auto& file : locks.files) {
        database.locks.merge(parse_dconf_locks(file.text, file.path));
    }
    if (!keys.files.empty() || !locks.files.empty()) {
        TRY_ASSIGN(database.stale, why_stale(host, name, std::max(keys.newest_s, locks.newest_s)));
    }
    return database;
}

} // namespace

std::map<std::string, Origin> parse_dconf_locks(std::string_view text, const std::string& file)
{
    std::map<std::string, Origin> locks;
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        const auto path = trimmed(line);
        if (path.starts_with('/')) {
            locks.emplace(path, Origin{file, number});
        }
    });
    return locks;
}

std::vector<std::string> parse_dconf_profile(std::string_view text)
{
    std::vector<std::string> names;
    for_each_line(text, [&](std::string_view line, std::uint32_t /*number*/) {
        const auto shown = trimmed(line.substr(0, line.find('#')));
        if (shown.starts_with(kSystemDb) && shown.find('/') == shown.npos) {
            names.emplace_back(shown.substr(kSystemDb.size()));
        }
    });
    return names;
}

std::optional<std::int64_t> dconf_number(std::string_view text)
{
    const auto parts = words(text);
    return parts.empty() || parts.size() > 2 ? std::nullopt : parse_number<std::int64_t>(parts.back());
}

const DconfValue* DconfProfile::value(const std::string& key) const
{
    for (const auto& database : databases) {
        const auto found = database.values.find(key);
        if (found != database.values.end()) {
            return &found->second;
        }
    }
    return nullptr;
}

const Origin* DconfProfile::lock(const std::string& key) const
{
    for (const auto& database : databases) {
        for (const auto& [locked, where] : database.locks) {
            if (locked == key || (locked.ends_with('/') && key.starts_with(locked))) {
                return &where;
            }
        }
    }
    return nullptr;
}

Result<DconfProfile> read_dconf_profile(const host::Host& host, const std::string& name)
{
    DconfProfile profile;
    profile.path = "/etc/dconf/profile/" + name;
    TRY_ASSIGN(const auto files, conf_file(host, profile.path));
    for (const auto& file : files) {
        profile.is_there = true;
        for (const auto& database : parse_dconf_profile(file.text)) {
            TRY_ASSIGN(auto read, read_database(host, database));
            profile.databases.push_back(std::move(read));
        }
    }
    return profile;
}

} // namespace hostward::hardening
