// SPDX-License-Identifier: Apache-2.0
// Files below /var/log: who may own and read one depends on its name.
#include "hardening/models/accounts.h"
#include "hardening/models/file_set.h"
#include "hardening/models/glob.h"
#include "hardening/primitives/primitives.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr auto kRoot = "/var/log";
constexpr std::size_t kFilesMax = 100'000;
constexpr int kDepthMax = 32;

/// What files with such names may be. The first that fits counts; the last fits all.
struct Class {
    std::array<const char*, 6> names;
    std::uint32_t mode_max;
    std::array<std::string_view, 3> owners;
    std::array<std::string_view, 4> groups;
};
constexpr std::array kClasses{
    Class{
        {"*/lastlog", "*/lastlog.*", "*/wtmp*", "*/btmp*", "*/README", "*/faillog"}, 0664, {"root"}, {"root", "utmp"}},
    Class{{"*/cloud-init.log*", "*/localmessages*", "*/waagent.log*"}, 0644, {"root", "syslog"}, {"adm", "root"}},
    Class{{"*/secure*", "*/auth.log*", "*/syslog*", "*/messages*"}, 0640, {"root", "syslog"}, {"adm", "root"}},
    Class{{"*/sssd/*", "*/SSSD/*"}, 0660, {"root", "SSSD", "sssd"}, {"root", "SSSD", "sssd"}},
    Class{{"*/gdm/*", "*/gdm3/*"}, 0660, {"root"}, {"root", "gdm", "gdm3"}},
    Class{{"*.journal", "*.journal~"}, 0640, {"root"}, {"root", "systemd-journal", "adm"}},
    Class{{"*"}, 0640, {"root", "syslog"}, {"root", "adm"}},
};

const Class& class_of(const std::string& path)
{
    const auto fits = [&](const char* pattern) { return pattern != nullptr && matches_wildcards(pattern, path); };
    const auto found =
        std::ranges::find_if(kClasses, [&](const Class& one) { return std::ranges::any_of(one.names, fits); });
    return found == kClasses.end() ? kClasses.back() : *found;
}

struct Log {
    std::string path;
    host::FileFacts facts;
};

Status collect(const host::Host& host, const std::string& folder, int depth, std::vector<Log>& out)
{
    if (depth > kDepthMax || out.size() > kFilesMax) {
        return Error{ErrorKind::Exhausted, 0, "more files or folders below /var/log than are looked at"};
    }
    TRY_ASSIGN(const auto names, host::list_optional(host, folder));
    for (const auto& name : names) {
        const std::string path = folder + "/" + name;
        const auto facts = host.facts(path, host::Links::Keep);
        if (!facts && facts.error().kind == ErrorKind::NotFound) {
            continue; // rotated away meanwhile
        }
        if (!facts) {
            return facts.error();
        }
        if (facts->type == host::FileType::Directory) {
            TRY(collect(host, path, depth + 1, out));
        } else if (facts->type == host::FileType::Regular) {
            out.push_back({path, *facts});
        }
    }
    return success();
}

std::string user_name(const Passwd& passwd, std::uint32_t uid)
{
    const auto found = std::ranges::find(passwd.users, uid, &User::uid);
    return uid == 0 ? "root" : (found == passwd.users.end() ? std::to_string(uid) : found->name);
}

std::string group_name(const Groups& groups, std::uint32_t gid)
{
    const auto* found = groups.find(gid);
    return gid == 0 ? "root" : (found == nullptr ? std::to_string(gid) : found->name);
}

Result<Outcome> evaluate(const Arguments& /*arguments*/, Facts& facts)
{
    const auto& passwd = facts.get<Passwd>();
    const auto& groups = facts.get<Groups>();
    if (!passwd || !groups) {
        return passwd ? groups.error() : passwd.error();
    }
    std::vector<Log> logs;
    TRY(collect(facts.host(), kRoot, 0, logs));
    Outcome out;
    out.verdict = Verdict::Pass;
    for (const auto& log : logs) {
        const Class& wanted = class_of(log.path);
        const std::string owner = user_name(*passwd, log.facts.uid);
        const std::string group = group_name(*groups, log.facts.gid);
        const bool is_good = (log.facts.mode & ~wanted.mode_max) == 0 &&
                             std::ranges::find(wanted.owners, owner) != wanted.owners.end() &&
                             std::ranges::find(wanted.groups, group) != wanted.groups.end();
        if (!is_good) {
            out.verdict = Verdict::Fail;
            out.add({"mode " + octal(wanted.mode_max) + " or less, owner and group of the log service",
                     "mode " + octal(log.facts.mode) + ", " + owner + ":" + group, log.path});
        }
    }
    out.add({"all as they should be", std::to_string(logs.size()) + " files were looked at", kRoot});
    return out;
}

} // namespace

const Primitive kLogFilesPrimitive{
    "log-files", "The files below /var/log belong to the log services and are not open to others.", {}, evaluate};

} // namespace hostward::hardening
