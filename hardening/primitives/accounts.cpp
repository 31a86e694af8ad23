// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"

#include "hardening/models/accounts.h"
#include "hardening/models/login_defs.h"
#include "hardening/models/shadow.h"

#include <algorithm>
#include <array>
#include <map>

namespace hostward::hardening {

namespace {

constexpr std::uint32_t kUidMin = 1000; // where login.defs says nothing
constexpr std::uint32_t kNobody = 65534;

/// The account files, together.
struct Files {
    const Passwd& passwd;
    const Groups& groups;
    const Shadow& shadow;
    const NameServices& services;
    const Shells& shells;
    std::uint32_t uid_min;
};

class Judge {
public:
    explicit Judge(std::string expected) : expected_(std::move(expected)) {}
    void bad(std::string found, const Origin& where)
    {
        out_.verdict = Verdict::Fail;
        out_.add({expected_, std::move(found), where.text()});
    }
    /// With the file as evidence when nothing was wrong.
    Outcome done(const std::string& seen, const std::string& file)
    {
        if (out_.verdict == Verdict::Pass) {
            out_.add({expected_, seen, file});
        }
        return std::move(out_);
    }

private:
    std::string expected_;
    Outcome out_{Verdict::Pass, "", {}, 0};
};

std::string count(std::size_t number, const char* what)
{
    return "so it is for " + std::to_string(number) + " " + what;
}

Outcome passwords_shadowed(const Files& files)
{
    Judge judge("the password field is x");
    for (const auto& user : files.passwd.users) {
        if (!user.password.is_shadowed) {
            judge.bad(user.name + ": " + describe(user.password), user.origin);
        }
    }
    return judge.done(count(files.passwd.users.size(), "accounts"), "/etc/passwd");
}

Outcome no_empty_password(const Files& files)
{
    Judge judge("no password field is empty");
    for (const auto& user : files.passwd.users) {
        if (user.password.state == PasswordState::Empty) {
            judge.bad(user.name + ": empty", user.origin);
        }
    }
    for (const auto& entry : files.shadow.entries) {
        if (entry.password.state == PasswordState::Empty) {
            judge.bad(entry.name + ": empty", entry.origin);
        }
    }
    return judge.done(count(files.shadow.entries.size(), "accounts"), "/etc/shadow");
}

Outcome primary_groups_exist(const Files& files)
{
    Judge judge("the primary group exists");
    const auto elsewhere = files.services.beyond_files("group");
    const bool has_domain = std::ranges::any_of(elsewhere, [](const auto& name) { return name != "systemd"; });
    for (const auto& user : files.passwd.users) {
        if (files.groups.find(user.gid) != nullptr) {
            continue;
        }
        if (has_domain) {
            return Outcome::cannot_tell("group " + std::to_string(user.gid) + " of " + user.name +
                                        " is not in /etc/group, but groups also come from " + elsewhere.front());
        }
        judge.bad(user.name + ": group " + std::to_string(user.gid) + " does not exist", user.origin);
    }
    return judge.done(count(files.passwd.users.size(), "accounts"), "/etc/passwd");
}

/// `entries` by a key: whoever comes second is the finding.
template <typename Entry, typename Key>
Outcome unique(const std::vector<Entry>& entries, Key Entry::*key, const char* what, const char* file)
{
    Judge judge(std::string("each ") + what + " once");
    std::map<Key, const Entry*> first;
    for (const auto& entry : entries) {
        const auto [known, is_new] = first.emplace(entry.*key, &entry);
        if (!is_new) {
            judge.bad(entry.name + " has the " + what + " of " + known->second->name + " at " +
                          known->second->origin.text(),
                      entry.origin);
        }
    }
    return judge.done(count(entries.size(), "lines"), file);
}

Outcome uids_unique(const Files& files) { return unique(files.passwd.users, &User::uid, "UID", "/etc/passwd"); }
Outcome user_names_unique(const Files& files) { return unique(files.passwd.users, &User::name, "name", "/etc/passwd"); }
Outcome gids_unique(const Files& files) { return unique(files.groups.groups, &Group::gid, "GID", "/etc/group"); }
Outcome group_names_unique(const Files& files)
{
    return unique(files.groups.groups, &Group::name, "name", "/etc/group");
}

Outcome only_root_uid_0(const Files& files)
{
    Judge judge("root alone has UID 0");
    for (const auto& user : files.passwd.users) {
        if (user.uid == 0 && user.name != "root") {
            judge.bad(user.name + " has UID 0", user.origin);
        }
    }
    const User* root = files.passwd.find("root");
    if (root == nullptr || root->uid != 0) {
        judge.bad("root does not have UID 0", root == nullptr ? Origin{"/etc/passwd", 0} : root->origin);
    }
    return judge.done("so it is", "/etc/passwd");
}

/// These three have group 0 as shipped and run one command.
bool is_exempt_from_group_0(const std::string& name)
{
    return name == "sync" || name == "shutdown" || name == "halt" || name == "operator";
}

Outcome only_root_primary_gid_0(const Files& files)
{
    Judge judge("group 0 is the primary group of root alone");
    for (const auto& user : files.passwd.users) {
        if (user.name == "root" ? user.gid != 0 : (user.gid == 0 && !is_exempt_from_group_0(user.name))) {
            judge.bad(user.name + " has the primary group " + std::to_string(user.gid), user.origin);
        }
    }
    return judge.done("so it is", "/etc/passwd");
}

Outcome root_primary_gid_0(const Files& files)
{
    const User* root = files.passwd.find("root");
    Judge judge("the primary group of root is 0");
    if (root == nullptr || root->gid != 0) {
        judge.bad(root == nullptr ? "no root" : std::to_string(root->gid),
                  root == nullptr ? Origin{"/etc/passwd", 0} : root->origin);
    }
    return judge.done("0", "/etc/passwd");
}

Outcome only_root_group_gid_0(const Files& files)
{
    Judge judge("the group root alone has GID 0");
    for (const auto& group : files.groups.groups) {
        if (group.gid == 0 && group.name != "root") {
            judge.bad(group.name + " has GID 0", group.origin);
        }
    }
    return judge.done("so it is", "/etc/group");
}

std::string base_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// A shell that lets somebody in: listed, or known to be one, and not a refusal.
bool is_login_shell(const Files& files, const std::string& shell)
{
    constexpr std::array<std::string_view, 8> kKnown{"sh", "bash", "dash", "zsh", "ksh", "fish", "csh", "tcsh"};
    const std::string used = shell.empty() ? "/bin/sh" : shell;
    const std::string base = base_of(used);
    if (base == "nologin" || base == "false") {
        return false;
    }
    return files.shells.has(used) || std::ranges::find(kKnown, base) != kKnown.end();
}

Outcome system_accounts_no_shell(const Files& files)
{
    Judge judge("system accounts have no login shell");
    for (const auto& user : files.passwd.users) {
        const bool is_system = user.uid < files.uid_min || user.uid == kNobody;
        if (is_system && user.name != "root" && !is_exempt_from_group_0(user.name) &&
            is_login_shell(files, user.shell)) {
            judge.bad(user.name + ": " + (user.shell.empty() ? "/bin/sh (none given)" : user.shell), user.origin);
        }
    }
    return judge.done("so it is", "/etc/passwd");
}

Outcome no_shell_accounts_locked(const Files& files)
{
    Judge judge("accounts without a login shell are locked");
    for (const auto& user : files.passwd.users) {
        const ShadowEntry* entry = files.shadow.find(user.name);
        const auto& password = user.password.is_shadowed && entry != nullptr ? entry->password : user.password;
        const bool is_open = password.state == PasswordState::Usable || password.state == PasswordState::Empty;
        if (user.name != "root" && !is_login_shell(files, user.shell) && is_open) {
            judge.bad(user.name + ": " + describe(password), entry == nullptr ? user.origin : entry->origin);
        }
    }
    return judge.done("so it is", "/etc/shadow");
}

Outcome root_access_controlled(const Files& files)
{
    const User* root = files.passwd.find("root");
    const ShadowEntry* entry = files.shadow.find("root");
    if (root == nullptr || (root->password.is_shadowed && entry == nullptr)) {
        return Outcome::cannot_tell("root has no line in /etc/passwd or /etc/shadow");
    }
    const auto& password = root->password.is_shadowed ? entry->password : root->password;
    return Outcome::pass_if(password.state != PasswordState::Empty,
                            {"root has a password or is locked", describe(password),
                             (root->password.is_shadowed ? entry->origin : root->origin).text()});
}

Outcome shadow_group_empty(const Files& files)
{
    const Group* shadow = files.groups.find("shadow");
    if (shadow == nullptr) {
        return Outcome::of(Verdict::Pass, {"the group shadow is empty", "there is no such group", "/etc/group"});
    }
    Judge judge("the group shadow is empty");
    for (const auto& member : shadow->members) {
        judge.bad(member + " is a member", shadow->origin);
    }
    for (const auto& user : files.passwd.users) {
        if (user.gid == shadow->gid) {
            judge.bad("it is the primary group of " + user.name, user.origin);
        }
    }
    return judge.done("so it is", shadow->origin.text());
}

Outcome shells_list_no_nologin(const Files& files)
{
    Judge judge("no entry is nologin");
    for (const auto& shell : files.shells.shells) {
        if (base_of(shell.value) == "nologin") {
            judge.bad(shell.value, shell.origin);
        }
    }
    return judge.done("so it is", "/etc/shells");
}

struct Property {
    std::string_view name;
    Outcome (*judge)(const Files&);
    bool needs_shadow;
};
constexpr std::array kProperties{
    Property{"passwords-shadowed", passwords_shadowed, false},
    Property{"no-empty-password", no_empty_password, true},
    Property{"primary-groups-exist", primary_groups_exist, false},
    Property{"uids-unique", uids_unique, false},
    Property{"gids-unique", gids_unique, false},
    Property{"user-names-unique", user_names_unique, false},
    Property{"group-names-unique", group_names_unique, false},
    Property{"only-root-uid-0", only_root_uid_0, false},
    Property{"only-root-primary-gid-0", only_root_primary_gid_0, false},
    Property{"root-primary-gid-0", root_primary_gid_0, false},
    Property{"only-root-group-gid-0", only_root_group_gid_0, false},
    Property{"system-accounts-no-shell", system_accounts_no_shell, false},
    Property{"no-shell-accounts-locked", no_shell_accounts_locked, true},
    Property{"root-access-controlled", root_access_controlled, true},
    Property{"shadow-group-empty", shadow_group_empty, false},
    Property{"shells-list-no-nologin", shells_list_no_nologin, false},
};
constexpr auto kNames = [] {
    std::array<std::string_view, kProperties.size()> names{};
    for (std::size_t i = 0; i < names.size(); ++i) {
        names.at(i) = kProperties.at(i).name;
    }
    return names;
}();
constexpr std::array kArguments{
    ArgumentSpec{"property", ValueType::Text, true, "What must hold for all accounts", kNames},
};

bool asks_nis(const NameServices& services, const std::string& database)
{
    const auto found = services.services.find(database);
    return found != services.services.end() && std::ranges::find(found->second, "compat") != found->second.end();
}

Result<Outcome> evaluate(const Arguments& arguments, Facts& facts)
{
    const auto& passwd = facts.get<Passwd>();
    const auto& groups = facts.get<Groups>();
    const auto& services = facts.get<NameServices>();
    const auto& shells = facts.get<Shells>();
    const auto& defs = facts.get<LoginDefs>();
    const auto& property = *std::ranges::find(kProperties, arguments.text("property"), &Property::name);
    static const Shadow kNotRead;
    for (const auto* error :
         {passwd ? nullptr : &passwd.error(), groups ? nullptr : &groups.error(),
          services ? nullptr : &services.error(), shells ? nullptr : &shells.error(), defs ? nullptr : &defs.error()}) {
        if (error != nullptr) {
            return *error;
        }
    }
    if (property.needs_shadow && !facts.get<Shadow>()) {
        return facts.get<Shadow>().error();
    }
    const Shadow& shadow = property.needs_shadow ? *facts.get<Shadow>() : kNotRead;
    if (!passwd->is_there || !groups->is_there || (property.needs_shadow && !shadow.is_there)) {
        return Outcome::cannot_tell("/etc/passwd, /etc/group or /etc/shadow is missing");
    }
    if ((!passwd->compat.empty() && asks_nis(*services, "passwd")) ||
        (!groups->compat.empty() && asks_nis(*services, "group"))) {
        return Outcome::cannot_tell("accounts also come from NIS, by + and - lines");
    }
    const auto uid_min = defs->number("UID_MIN");
    return property.judge({*passwd, *groups, shadow, *services, *shells,
                           uid_min && *uid_min > 0 ? static_cast<std::uint32_t>(*uid_min) : kUidMin});
}

} // namespace

const Primitive kAccountsPrimitive{
    "accounts", "A property of all local accounts and groups, as the C library reads them.", kArguments, evaluate};

} // namespace hostward::hardening
