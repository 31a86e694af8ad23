// SPDX-License-Identifier: Apache-2.0
// Source: bash(1), INVOCATION; pam_umask(8); login.defs(5).
#include "hardening/models/shell_session.h"

#include "agent/base/text.h"
#include "hardening/models/login_defs.h"
#include "hardening/models/pam.h"
#include "hardening/models/shell_assignments.h"
#include "hardening/models/shell_run.h"

#include <algorithm>

namespace hostward::hardening {

namespace {

constexpr std::uint32_t kServiceUmask = 022; ///< what systemd starts services with
constexpr auto kUserPath = "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games";
constexpr auto kRootPath = "/sbin:/bin:/usr/sbin:/usr/bin"; // login(1)'s where login.defs says nothing

constexpr auto kEnvironment = "/etc/environment";

void give(ShellState& state, const std::string& name, const std::string& text, bool is_exported)
{
    state.variables[name] = {ShellVariable::Value::Set, text, "", is_exported, false};
}

void give_shell_variables(ShellState& state, const ShellUser& user)
{
    give(state, "BASH", "/bin/bash", false);
    give(state, "BASH_VERSION", "5", false);
    give(state, "-", "himBHs", false);
    give(state, "PS1", "\\s-\\v\\$ ", false);
    for (const std::string name : {"UID", "EUID"}) {
        give(state, name, std::to_string(user.uid), false);
        state.variables[name].is_read_only = true;
    }
    for (const std::string name : {"TMOUT", "ZSH_VERSION", "KSH_VERSION", "BASHRCSOURCED"}) {
        if (!state.variables.contains(name)) {
            state.variables[name] = {ShellVariable::Value::Unset, "", "", false, false};
        }
    }
}

ShellState born(const ShellStart& start, const ShellUser& user)
{
    ShellState state;
    give(state, "PATH", start.path, true);
    if (!start.tmout.empty()) {
        give(state, "TMOUT", start.tmout, true);
        state.variables["TMOUT"].where = kEnvironment;
    }
    give(state, "SHELL", "/bin/bash", true);
    if (!user.home.empty()) {
        give(state, "HOME", user.home, true);
    }
    for (const std::string name : {"USER", "LOGNAME", " user"}) {
        if (!user.name.empty()) {
            give(state, name, user.name, true);
        }
    }
    if (!user.group.empty()) {
        give(state, " group", user.group, true);
    }
    give_shell_variables(state, user);
    state.umask = start.umask;
    state.umask_where = start.umask_where;
    return state;
}

/// The first of the user's own start files that is there, as a login shell has it.
std::string own_login_file(const host::Host& host, const ShellUser& user)
{
    for (const std::string name : {".bash_profile", ".bash_login", ".profile"}) {
        const auto facts = host.facts(user.home + "/" + name);
        if (!facts && facts.error().kind == ErrorKind::NotFound) {
            continue;
        }
        return user.home + "/" + name;
    }
    return user.home + "/.profile";
}

/// A shell within the login: it has what is exported, nothing is read-only any more.
ShellState child_of(const ShellState& login, const ShellUser& user)
{
    ShellState state = login;
    state.functions.clear();
    state.exports_all = false;
    state.positional.clear();
    state.flow = ShellState::Flow::Next;
    for (auto& [name, one] : state.variables) {
        if (!one.is_exported && one.may_be_exported) {
            one.value = ShellVariable::Value::Unknown;
        } else if (!one.is_exported && one.value != ShellVariable::Value::Unknown) {
            one = {ShellVariable::Value::Unset, "", "", false, false};
        }
        one.is_read_only = false;
        one.may_be_read_only = false;
    }
    give_shell_variables(state, user);
    return state;
}

/// Debian's bash reads /etc/bash.bashrc itself; elsewhere the user's own file reads /etc/bashrc, as /etc/skel has it.
ShellStates interactive(const host::Host& host, ShellRun& run, const ShellUser& user, ShellStates states)
{
    const auto is_debian = host::exists(host, "/etc/bash.bashrc");
    const bool has_debian_file = !is_debian.ok() || *is_debian; // reading it says what is wrong
    const auto own = user.home + "/.bashrc";
    const auto has_own = user.home.empty() ? Result<bool>(false) : host::exists(host, own);
    if (has_debian_file || (has_own.ok() && !*has_own)) {
        states = run.source(has_debian_file ? "/etc/bash.bashrc" : "/etc/bashrc", std::move(states));
    } else if (user.home.empty()) {
        states = run.source("/etc/bashrc", std::move(states));
    }
    return user.home.empty() ? std::move(states) : run.source(own, std::move(states));
}

std::vector<ShellOutcome> outcomes_of(const ShellStates& states)
{
    std::vector<ShellOutcome> out;
    for (const auto& state : states) {
        if (state.flow == ShellState::Flow::Exit) {
            continue;
        }
        out.push_back({state.variable("TMOUT"),
                       state.variable("PATH"),
                       state.umask,
                       state.umask_where,
                       {state.doubts.begin(), state.doubts.end()}});
    }
    return out;
}

void take_umask(const std::vector<PamEntry>& session, const LoginDefs& defs, const ShellUser& user, ShellStart& start)
{
    for (const auto& entry : session) {
        if (entry.module != "pam_umask") {
            continue;
        }
        const auto* setting = defs.first("UMASK");
        const auto given = entry.argument("umask");
        if (!given && setting == nullptr) {
            continue;
        }
        const auto& [text, where] =
            given ? std::pair(*given, entry.origin) : std::pair(setting->value, setting->origin);
        const auto value = parse_number<std::uint32_t>(text, 8);
        if (!value) {
            continue;
        }
        start.umask = *value & 0777U;
        start.umask_where = where.text();
        const bool has_own_group = user.uid != 0 && (user.name.empty() || user.name == user.group);
        if (entry.argument("usergroups") && has_own_group) {
            start.umask = (start.umask & ~070U) | (start.umask >> 3U & 070U);
            start.umask_where += ", usergroups at " + entry.origin.text();
        }
    }
}

/// What pam_env takes from /etc/environment.
Status take_environment(const host::Host& host, const std::vector<PamEntry>& session, const std::vector<PamEntry>& auth,
                        ShellStart& start)
{
    const auto is_env = [](const PamEntry& entry) { return entry.module == "pam_env"; };
    if (std::ranges::none_of(session, is_env) && std::ranges::none_of(auth, is_env)) {
        return success();
    }
    TRY_ASSIGN(const auto all, read_shell_assignments(host, kEnvironment));
    if (const auto* path = last_assignment(all, "PATH")) {
        start.path = path->value;
    }
    if (const auto* tmout = last_assignment(all, "TMOUT")) {
        start.tmout = tmout->value;
    }
    return success();
}

} // namespace

Result<std::vector<ShellOutcome>> shell_outcomes(const host::Host& host, ShellKind kind, const ShellUser& user,
                                                 const std::vector<ShellStart>& starts)
{
    ShellStates states;
    for (const auto& start : starts) {
        states.push_back(born(start, user));
    }
    ShellRun login(host, user.uid, true);
    states = login.source("/etc/profile", std::move(states));
    if (!user.home.empty()) {
        states = login.source(own_login_file(host, user), std::move(states));
    }
    if (login.error()) {
        return *login.error();
    }
    if (kind == ShellKind::Interactive) {
        ShellRun inner(host, user.uid, false);
        std::erase_if(states, [](const ShellState& one) { return one.flow == ShellState::Flow::Exit; });
        for (auto& state : states) {
            state = child_of(state, user);
        }
        states = interactive(host, inner, user, merged(std::move(states)));
        if (inner.error()) {
            return *inner.error();
        }
    }
    return outcomes_of(states);
}

Result<std::vector<ShellStart>> shell_starts(Facts& facts, const ShellUser& user)
{
    const auto& defs = facts.get<LoginDefs>();
    const auto& pam = facts.get<PamServices>();
    if (!defs || !pam) {
        return defs ? pam.error() : defs.error();
    }
    const auto* path = defs->last(user.uid == 0 ? "ENV_SUPATH" : "ENV_PATH");
    ShellStart plain{user.uid == 0 ? kRootPath : kUserPath, "", kServiceUmask, "nothing sets it: as services start"};
    if (path != nullptr) {
        plain.path = path->value.starts_with("PATH=") ? path->value.substr(5) : path->value;
    }
    std::vector<ShellStart> out;
    for (const std::string service : {"sshd", "login"}) {
        if (!pam->files.contains(service)) {
            continue;
        }
        TRY_ASSIGN(const auto session, pam->stack(service, "session"));
        TRY_ASSIGN(const auto auth, pam->stack(service, "auth"));
        ShellStart start = plain;
        take_umask(session, *defs, user, start);
        TRY(take_environment(facts.host(), session, auth, start));
        const bool is_new = std::ranges::none_of(out, [&](const ShellStart& one) {
            return one.umask == start.umask && one.path == start.path && one.tmout == start.tmout;
        });
        if (is_new) {
            out.push_back(std::move(start));
        }
    }
    if (out.empty()) {
        out.push_back(std::move(plain));
    }
    return out;
}

} // namespace hostward::hardening
