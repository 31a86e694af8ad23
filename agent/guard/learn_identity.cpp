// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/learn_identity.h"

#include "agent/base/terminal.h"
#include "agent/base/text.h"
#include "agent/guard/interpreters.h"
#include "agent/guard/learn_place.h"

#include <linux/limits.h>

#include <algorithm>

namespace hostward::guard {

namespace {

constexpr std::uint32_t kRoot = 0;

/// A program as a condition: `path`, or why not.
struct Program {
    std::string path;
    std::string why_not; ///< one clause
    bool is_interpreter = false;
    bool is_replaced = false; ///< the file at the path is another one than the event's
};

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); } // npos + 1 is 0

Program no_program(std::string why) { return {"", std::move(why), false, false}; }

/// Device numbers are left out: those of disks differ from boot to boot. Generation 0: nobody could ask for it.
bool is_same_file(const ExeFact& a, const ExeFact& b)
{
    const bool is_known = a.generation != 0 && b.generation != 0;
    return a.inode == b.inode && (!is_known || a.generation == b.generation);
}

Program choose_program(const EventRecord& event, ExeBook& exes)
{
    if (event.container) {
        return no_program("a program of a container has no path that a rule could name");
    }
    if (event.exe.empty() || event.exe.starts_with("...")) {
        return no_program("the path of its program is not known");
    }
    if (!is_plain_path(event.exe)) {
        return no_program("the path of its program cannot be written in a rule");
    }
    const auto& info = exes.look_up(event.exe);
    if (!info) {
        return no_program("its program cannot be looked at");
    }
    if (!info->writable_by.empty()) {
        return no_program("its program can be replaced by a user other than root");
    }
    if (!info->fact) {
        return no_program("its program does not exist any more");
    }
    if (info->interpreter || is_interpreter_name(base_name(event.exe))) {
        Program out = no_program("its program is an interpreter, which says nothing about the script");
        out.is_interpreter = true;
        return out;
    }
    return {event.exe, "", false, event.exe_fact && !is_same_file(*event.exe_fact, *info->fact)};
}

/// "v2", "2.15.0", "7993": a folder that the next upgrade names anew.
bool is_version(std::string_view name)
{
    if (name.starts_with('v')) {
        name.remove_prefix(1);
    }
    return !name.empty() && name.find_first_of("0123456789") == 0 &&
           name.find_first_not_of("0123456789.") == std::string_view::npos;
}

void remark_program(const Identity& identity, const Program& program, Choice& out)
{
    if (identity.exe.empty()) {
        if (program.is_interpreter) {
            out.remarks.emplace_back("The program is an interpreter: its file says nothing about the script, so the "
                                     "rule goes without it.");
        }
        return;
    }
    if (program.is_replaced) {
        out.remarks.emplace_back("The program was replaced since, or another file has its path elsewhere: the rule "
                                 "means the one that is there now.");
    }
    const auto names = split(identity.exe, '/');
    if (std::any_of(names.begin(), names.end() - 1, is_version)) {
        out.remarks.emplace_back("The path has a version in it: the rule stops matching with the next upgrade.");
    }
}

void remark_place(const Identity& identity, const Place& place, Choice& out)
{
    if (place.is_runner && identity.exe.empty()) {
        out.remarks.emplace_back("This unit runs what others ask it to: the rule is for everything it runs as this "
                                 "user.");
    }
    if (!place.runtime.empty()) {
        out.remarks.emplace_back("This is every container of " + place.runtime + " that runs as this user.");
    } else if (place.is_pattern) {
        out.remarks.emplace_back("The unit has a new name at each start: the rule is for all of them.");
    }
}

void remark_user(const Identity& identity, Choice& out)
{
    if (identity.uid != identity.euid) {
        out.remarks.emplace_back("A set-user-id program: the rule names its caller and its owner, both must match.");
    }
    const bool is_bare = identity.unit.empty() && identity.cgroup.empty() && identity.exe.empty();
    if (is_bare) {
        out.remarks.emplace_back("By user alone: every program that this user runs.");
    }
    if (identity.uid == kRoot) {
        const bool by_unit = !identity.unit.empty() && !identity.unit.ends_with(".slice");
        out.remarks.emplace_back(by_unit ? "This is root."
                                         : "This is root: prefer a unit of its own for what root has to run.");
    }
}

/// Nothing but the user is left: enough where that user is one person or one service.
Choice choose_by_user(Identity identity, const Place& place, const Program& program)
{
    Choice out;
    // What root does in somebody's login, or a container of a user's own: that login is the narrowest there is.
    const bool needs_more = identity.container || identity.uid == kRoot;
    if (needs_more && !place.login_slice.empty()) {
        identity.unit = place.login_slice;
        out.identity = identity;
        out.remarks.push_back("Everything that runs as this user in logins of uid " +
                              place.login_slice.substr(5, place.login_slice.size() - 11) + ".");
        return out;
    }
    const std::string facts = place.why_not + ", and " + program.why_not;
    if (identity.container) {
        out.why_not = "a rule by user alone would be for every container: " + facts;
    } else if (identity.uid != identity.euid) {
        out.why_not = "a rule by user alone would be for all that the owner of a set-user-id program runs: " + facts;
    } else if (identity.uid == kRoot) {
        out.why_not = "a rule by user alone would be for everything that root runs: " + facts;
    } else {
        out.identity = identity;
    }
    return out;
}

} // namespace

const Result<ExeInfo>& ExeBook::look_up(const std::string& path)
{
    const auto known = known_.find(path);
    return known != known_.end() ? known->second : known_.emplace(path, resolver_.exe(path)).first->second;
}

bool is_plain_path(const std::string& path)
{
    if (!path.starts_with('/') || path.size() >= PATH_MAX || printable(path) != path) {
        return false;
    }
    return std::ranges::none_of(split(std::string_view(path).substr(1), '/'),
                                [](std::string_view name) { return name.empty() || name == "." || name == ".."; });
}

Choice choose_identity(const EventRecord& event, ExeBook& exes)
{
    const Place place = stable_place(event.cgroup);
    const Program program = choose_program(event, exes);
    Identity identity;
    identity.container = event.container;
    identity.uid = event.uid.value_or(0);
    identity.euid = event.euid.value_or(0);
    identity.unit = place.unit;
    identity.cgroup = place.cgroup;
    const bool has_place = !place.unit.empty() || !place.cgroup.empty();
    if (!has_place || place.is_runner) {
        identity.exe = program.path;
    }
    Choice out{identity, "", {}};
    if (!has_place && identity.exe.empty()) {
        out = choose_by_user(identity, place, program);
    }
    if (out.identity) {
        remark_program(*out.identity, program, out);
        remark_place(*out.identity, place, out);
        remark_user(*out.identity, out);
    }
    return out;
}

} // namespace hostward::guard
