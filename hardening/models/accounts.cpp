// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/accounts.h"

#include "hardening/models/account_fields.h"

#include <algorithm>
#include <set>

namespace hostward::hardening {

namespace {

constexpr std::size_t kPasswdFields = 7;
constexpr std::size_t kGroupFields = 4;

std::string field_or_empty(const std::vector<std::string_view>& fields, std::size_t at)
{
    return at < fields.size() ? std::string(fields[at]) : std::string();
}

bool add_user(std::string_view line, Origin origin, std::vector<User>& out)
{
    const auto fields = account_fields(line, kPasswdFields);
    if (fields.size() < 4) {
        return false;
    }
    const auto uid = libc_id(fields[2]);
    const auto gid = libc_id(fields[3]);
    if (!uid || !gid) {
        return false;
    }
    out.push_back({std::move(origin), std::string(fields[0]), parse_password_field(fields[1]), *uid, *gid,
                   field_or_empty(fields, 4), field_or_empty(fields, 5), field_or_empty(fields, 6)});
    return true;
}

bool add_group(std::string_view line, Origin origin, std::vector<Group>& out)
{
    const auto fields = account_fields(line, kGroupFields);
    const auto gid = fields.size() < 3 ? std::nullopt : libc_id(fields[2]);
    if (!gid) {
        return false;
    }
    out.push_back({std::move(origin), std::string(fields[0]), parse_password_field(fields[1]), *gid,
                   member_list(fields.size() > 3 ? fields[3] : "")});
    return true;
}

/// `[NOTFOUND=return]` between services says what to do, not where to look.
std::vector<std::string> services_of(std::string_view text)
{
    std::vector<std::string> services;
    bool is_action = false;
    for (const auto word : words(text)) {
        is_action = is_action || word.starts_with('[');
        if (!is_action) {
            services.emplace_back(word);
        }
        is_action = is_action && !word.ends_with(']');
    }
    return services;
}

} // namespace

Passwd parse_passwd(std::string_view text, const std::string& file)
{
    Passwd out{true, {}, {}, {}};
    for_each_account_line(text, [&](std::string_view line, std::uint32_t number) {
        Origin origin{file, number};
        if (is_compat_line(line)) {
            out.compat.push_back(std::move(origin));
        } else if (!add_user(line, origin, out.users)) {
            out.unusable.push_back(std::move(origin));
        }
    });
    return out;
}

Groups parse_groups(std::string_view text, const std::string& file)
{
    Groups out{true, {}, {}, {}};
    for_each_account_line(text, [&](std::string_view line, std::uint32_t number) {
        Origin origin{file, number};
        if (is_compat_line(line)) {
            out.compat.push_back(std::move(origin));
        } else if (!add_group(line, origin, out.groups)) {
            out.unusable.push_back(std::move(origin));
        }
    });
    return out;
}

NameServices parse_name_services(std::string_view text)
{
    NameServices out;
    for_each_line(text, [&](std::string_view line, std::uint32_t) {
        line = line.substr(0, line.find('#'));
        const auto colon = line.find(':');
        if (colon != line.npos) {
            out.services[std::string(trimmed(line.substr(0, colon)))] = services_of(line.substr(colon + 1));
        }
    });
    return out;
}

Result<Passwd> Passwd::read(Facts& facts)
{
    TRY_ASSIGN(const auto text, host::read_optional(facts.host(), "/etc/passwd"));
    return text ? parse_passwd(*text, "/etc/passwd") : Passwd{};
}

Result<Groups> Groups::read(Facts& facts)
{
    TRY_ASSIGN(const auto text, host::read_optional(facts.host(), "/etc/group"));
    return text ? parse_groups(*text, "/etc/group") : Groups{};
}

Result<NameServices> NameServices::read(Facts& facts)
{
    TRY_ASSIGN(const auto text, host::read_optional(facts.host(), "/etc/nsswitch.conf"));
    return parse_name_services(text.value_or(""));
}

std::vector<std::string> NameServices::beyond_files(const std::string& database) const
{
    const auto found = services.find(database);
    std::vector<std::string> others;
    if (found != services.end()) {
        std::ranges::copy_if(found->second, std::back_inserter(others),
                             [](const std::string& name) { return name != "files" && name != "compat"; });
    }
    return others;
}

const User* Passwd::find(std::string_view name) const
{
    const auto found = std::ranges::find(users, name, &User::name);
    return found == users.end() ? nullptr : &*found;
}

const Group* Groups::find(std::string_view name) const
{
    const auto found = std::ranges::find(groups, name, &Group::name);
    return found == groups.end() ? nullptr : &*found;
}

const Group* Groups::find(std::uint32_t gid) const
{
    const auto found = std::ranges::find(groups, gid, &Group::gid);
    return found == groups.end() ? nullptr : &*found;
}

std::vector<std::string> groups_of(const User& user, const Groups& groups)
{
    std::vector<std::string> names;
    std::set<std::uint32_t> known{user.gid};
    if (const Group* primary = groups.find(user.gid); primary != nullptr) {
        names.push_back(primary->name);
    }
    for (const auto& group : groups.groups) {
        if (std::ranges::find(group.members, user.name) != group.members.end() && known.insert(group.gid).second) {
            names.push_back(groups.find(group.gid)->name); // a number's name is that of its first line
        }
    }
    return names;
}

} // namespace hostward::hardening
