// SPDX-License-Identifier: Apache-2.0
#include "agent/base/text.h"
#include "agent/cli/caller.h"
#include "agent/guard/container.h"
#include "agent/guard/unit_name.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <cstdio>
#include <memory>

namespace hostward::cli {

namespace {

/// No account has it: matches no rule.
constexpr std::uint32_t kNoId = 0xffffffff;

struct CloseFile {
    void operator()(std::FILE* file) const { (void)std::fclose(file); } // opened for reading: nothing to lose
};
using File = std::unique_ptr<std::FILE, CloseFile>;

/// The account of a uid, read from the file itself as the policy is: no directory service is asked.
struct Account {
    std::string name;
    std::uint32_t gid = kNoId;
};

std::optional<Account> find_account(const std::string& root, std::uint32_t uid)
{
    const File file(std::fopen((root + "/etc/passwd").c_str(), "re"));
    while (file) {
        const passwd* entry = ::fgetpwent(file.get());
        if (entry == nullptr) {
            break;
        }
        if (entry->pw_uid == uid) {
            return Account{entry->pw_name, entry->pw_gid};
        }
    }
    return std::nullopt;
}

std::vector<std::uint32_t> groups_of(const std::string& root, const std::string& user)
{
    std::vector<std::uint32_t> out;
    const File file(std::fopen((root + "/etc/group").c_str(), "re"));
    while (file) {
        const group* entry = ::fgetgrent(file.get());
        if (entry == nullptr) {
            break;
        }
        for (char** member = entry->gr_mem; *member != nullptr; ++member) {
            if (user == *member) {
                out.push_back(entry->gr_gid);
            }
        }
    }
    return out;
}

using Resolve = std::optional<std::uint32_t> (guard::Resolver::*)(const std::string& name);

Result<std::uint32_t> resolve(const char* what, const std::string& text, guard::Resolver& resolver, Resolve ask)
{
    if (const auto number = parse_number<std::uint32_t>(text)) {
        return *number;
    }
    if (const auto id = (resolver.*ask)(text)) {
        return *id;
    }
    return Error{ErrorKind::NotFound, 0, std::string(what) + " " + quote(text) + " does not exist on this host"};
}

Status describe_groups(const ExplainOptions& options, guard::Resolver& resolver, const std::string& root, Subject& out)
{
    for (const auto& text : options.groups) {
        TRY_ASSIGN(const std::uint32_t gid, resolve("group", text, resolver, &guard::Resolver::group));
        out.caller.groups.push_back(gid);
    }
    if (!options.groups.empty()) {
        out.caller.gid = out.caller.groups.front();
        return success();
    }
    const auto account = find_account(root, out.caller.uid);
    out.caller.gid = account ? account->gid : kNoId;
    if (account) {
        out.caller.groups = groups_of(root, account->name);
    } else {
        out.notes.emplace_back("the account files do not know this user's groups: say them with --group");
    }
    return success();
}

Status describe_program(const std::string& path, guard::Resolver& resolver, Subject& out)
{
    if (path.empty()) {
        out.notes.emplace_back("no program given: rules with exe do not match");
        return success();
    }
    TRY_ASSIGN(const guard::ExeInfo info, resolver.exe(path));
    out.caller.exe = info.fact;
    out.program = path;
    if (!info.fact) {
        out.notes.push_back("program " + quote(path) + " does not exist: rules with exe do not match");
    }
    return success();
}

/// Where systemd puts it: slices at the top, everything else of the system in system.slice.
std::string unit_path(const std::string& unit)
{
    const std::string cgroup = guard::cgroup_of_unit(unit);
    return unit.ends_with(".slice") ? "/" + cgroup : "/system.slice/" + cgroup;
}

} // namespace

std::vector<std::uint32_t> account_groups(std::uint32_t uid, const std::string& root)
{
    const auto account = find_account(root, uid);
    return account ? groups_of(root, account->name) : std::vector<std::uint32_t>{};
}

Result<Subject> describe_caller(const ExplainOptions& options, guard::Resolver& resolver, const std::string& root)
{
    Subject out;
    TRY_ASSIGN(out.caller.uid, resolve("user", options.user, resolver, &guard::Resolver::user));
    out.caller.euid = out.caller.uid;
    TRY(describe_groups(options, resolver, root, out));
    TRY(describe_program(options.exe, resolver, out));
    out.caller.cgroup_path = options.unit.empty() ? options.cgroup_path : unit_path(options.unit);
    if (out.caller.cgroup_path == "/") {
        out.caller.cgroup_path.clear();
    }
    out.caller.container = options.container || guard::is_pod_path(out.caller.cgroup_path);
    return out;
}

} // namespace hostward::cli
