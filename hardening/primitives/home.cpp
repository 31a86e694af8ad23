// SPDX-License-Identifier: Apache-2.0
// Home directories of users who can log in, and the files in them that programs obey.
#include "hardening/models/accounts.h"
#include "hardening/models/file_set.h"
#include "hardening/primitives/primitives.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kHomeArguments{
    ArgumentSpec{"mode_max", ValueType::Mode, true, "no permission bit beyond these", {}},
};
constexpr std::array kDotArguments{
    ArgumentSpec{"mode_max", ValueType::Mode, true, "no permission bit beyond these", {}},
    ArgumentSpec{"private", ValueType::List, true, "names of files that nobody but their owner may read", {}},
    ArgumentSpec{"forbidden", ValueType::List, true, "names of files that may not exist", {}},
};

bool has_login_shell(const User& user)
{
    constexpr std::array<std::string_view, 4> kNoShells{"nologin", "false", "sync", "shutdown"};
    const std::string_view shell = user.shell;
    const auto name = shell.substr(shell.rfind('/') + 1);
    return std::ranges::find(kNoShells, name) == kNoShells.end() && name != "halt";
}

Result<std::vector<User>> users_who_log_in(Facts& facts)
{
    const auto& passwd = facts.get<Passwd>();
    if (!passwd) {
        return passwd.error();
    }
    if (!passwd->is_there) {
        return Error{ErrorKind::NotFound, 0, "/etc/passwd is missing: whose homes there are cannot be told"};
    }
    std::vector<User> users;
    std::ranges::copy_if(passwd->users, std::back_inserter(users), has_login_shell);
    return users;
}

std::string seen(const host::FileFacts& facts)
{
    return "mode " + octal(facts.mode) + ", owner " + std::to_string(facts.uid) + ", group " +
           std::to_string(facts.gid);
}

Result<Outcome> judge_homes(const Arguments& arguments, Facts& facts)
{
    TRY_ASSIGN(const auto users, users_who_log_in(facts));
    const auto max = arguments.mode("mode_max");
    Outcome out;
    out.verdict = Verdict::Pass;
    for (const auto& user : users) {
        const std::string expected = "owned by " + user.name + ", mode " + octal(max) + " or less";
        const auto home = facts.host().facts(user.home);
        if (!home && home.error().kind != ErrorKind::NotFound && home.error().kind != ErrorKind::Invalid) {
            return home.error();
        }
        const bool is_good =
            home && home->type == host::FileType::Directory && home->uid == user.uid && (home->mode & ~max) == 0;
        if (!is_good) {
            out.verdict = Verdict::Fail;
        }
        out.add({expected, home ? seen(*home) : "no such directory", user.home + " (" + user.origin.text() + ")"});
    }
    if (users.empty()) {
        out.add({"all as they should be", "no user can log in", "/etc/passwd"});
    }
    return out;
}

/// One file of a home whose name begins with a point.
void judge_dot_file(const Arguments& arguments, const User& user, const FoundFile& file, Outcome& out)
{
    const std::string name = file.path.substr(file.path.rfind('/') + 1);
    const auto is_in = [&](std::string_view list) {
        const auto& names = arguments.list(list);
        return std::ranges::find(names, name) != names.end();
    };
    constexpr std::uint32_t kPrivate = 0600;
    const std::uint32_t max = is_in("private") ? kPrivate : arguments.mode("mode_max");
    const bool is_forbidden = is_in("forbidden");
    if (is_forbidden) {
        out.verdict = Verdict::Fail;
        out.add({"no such file", seen(file.facts), file.path});
    } else if ((file.facts.mode & ~max) != 0 || file.facts.uid != user.uid || file.facts.gid != user.gid) {
        out.verdict = Verdict::Fail;
        out.add({"owner and group of " + user.name + ", mode " + octal(max) + " or less", seen(file.facts), file.path});
    }
}

Result<Outcome> judge_dot_files(const Arguments& arguments, Facts& facts)
{
    TRY_ASSIGN(const auto users, users_who_log_in(facts));
    Outcome out;
    out.verdict = Verdict::Pass;
    std::size_t count = 0;
    for (const auto& user : users) {
        if (!user.home.starts_with('/') || user.home == "/") {
            continue;
        }
        // A home may have pattern characters in its name: its files are listed, not matched.
        TRY_ASSIGN(const auto names, host::list_optional(facts.host(), user.home));
        for (const auto& name : names) {
            const std::string path = user.home + "/" + name;
            if (!name.starts_with('.')) {
                continue;
            }
            const auto file = facts.host().facts(path, host::Links::Keep);
            if (!file && file.error().kind != ErrorKind::NotFound) {
                return file.error();
            }
            if (file && file->type == host::FileType::Regular) {
                ++count;
                judge_dot_file(arguments, user, {path, *file}, out);
            }
        }
    }
    out.add({"all as they should be", std::to_string(count) + " files were looked at", "home directories"});
    return out;
}

} // namespace

const Primitive kHomeFoldersPrimitive{
    "home-folders", "Every user who can log in has a home directory, owns it, and it is not open to others.",
    kHomeArguments, judge_homes};
const Primitive kDotFilesPrimitive{
    "dot-files", "The files in home directories whose name begins with a point belong to the user and are not open.",
    kDotArguments, judge_dot_files};

} // namespace hostward::hardening
