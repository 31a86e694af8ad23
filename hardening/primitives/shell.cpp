// SPDX-License-Identifier: Apache-2.0
// What shells of people begin with: the time after which an idle one ends, umask, root's PATH.
#include "agent/base/text.h"
#include "hardening/models/accounts.h"
#include "hardening/models/file_set.h"
#include "hardening/models/lines.h"
#include "hardening/models/shell_session.h"
#include "hardening/primitives/primitives.h"

#include <algorithm>
#include <array>
#include <optional>

namespace hostward::hardening {

namespace {

constexpr std::array<std::string_view, 2> kWho{"users", "root"};
constexpr std::array kTimeoutArguments{
    ArgumentSpec{"at_most", ValueType::Number, true, "seconds", {}},
};
constexpr std::array kUmaskArguments{
    ArgumentSpec{"umask", ValueType::Mode, true, "no file gets a permission bit of these", {}},
    ArgumentSpec{"who", ValueType::Text, true, "any user, by the system's files; root, by its own, too", kWho},
};
constexpr std::array<ShellKind, 2> kKinds{ShellKind::Login, ShellKind::Interactive};
constexpr std::size_t kDoubtsMax = 5; ///< shown of one outcome

std::string kind_name(ShellKind kind) { return kind == ShellKind::Login ? "login shell" : "further shell"; }

/// What one way of a session is: right, wrong, or not known.
struct Way {
    std::optional<bool> is_right;
    Evidence evidence;
};

Outcome judged(const std::vector<Way>& ways, const std::vector<ShellOutcome>& outcomes)
{
    const auto count = [&](std::optional<bool> what) {
        return static_cast<std::size_t>(std::ranges::count(ways, what, &Way::is_right));
    };
    Outcome out;
    if (!ways.empty() && (count(true) == ways.size() || count(false) == ways.size())) {
        out.verdict = count(true) == ways.size() ? Verdict::Pass : Verdict::Fail;
    } else {
        std::vector<std::string> doubts;
        for (const auto& one : outcomes) {
            for (const auto& doubt : one.doubts) {
                if (std::ranges::find(doubts, doubt) == doubts.end() && doubts.size() < kDoubtsMax) {
                    doubts.push_back(doubt);
                }
            }
        }
        out.reason = ways.empty() ? "the start files of the shell end it"
                                  : "text does not decide what these do: " + joined(doubts, ", ");
    }
    for (const auto& way : ways) {
        out.add(way.evidence);
    }
    return out;
}

ShellUser any_user() { return {1000, "", "", ""}; }

/// root, with its own start files.
Result<ShellUser> root_user(Facts& facts)
{
    const auto& passwd = facts.get<Passwd>();
    if (!passwd) {
        return passwd.error();
    }
    const auto* root = passwd->find("root");
    return ShellUser{0, "root", "root", root == nullptr || root->home.empty() ? "/root" : root->home};
}

template <typename Judge> Result<Outcome> judge_sessions(Facts& facts, const ShellUser& user, const Judge& judge)
{
    TRY_ASSIGN(const auto starts, shell_starts(facts, user));
    std::vector<Outcome> parts;
    for (const auto kind : kKinds) {
        TRY_ASSIGN(const auto outcomes, shell_outcomes(facts.host(), kind, user, starts));
        std::vector<Way> ways;
        for (const auto& one : outcomes) {
            ways.push_back(judge(kind, one));
        }
        parts.push_back(judged(ways, outcomes));
    }
    return all_of(parts);
}

Way judge_timeout(std::int64_t most, const std::string& who, ShellKind kind, const ShellOutcome& one)
{
    // A further shell has the value by the environment, and its own files may take it back.
    const bool is_login = kind == ShellKind::Login;
    const std::string expected = "TMOUT of 1 to " + std::to_string(most) + (is_login ? ", read-only and exported" : "");
    const std::string where = one.tmout.where.empty() ? "/etc/profile, /etc/profile.d, bashrc" : one.tmout.where;
    const std::string shell = " (" + kind_name(kind) + " of " + who + ")";
    if (one.tmout.value == ShellVariable::Value::Unknown) {
        return {std::nullopt, {expected, "it depends" + shell, where}};
    }
    if (one.tmout.value == ShellVariable::Value::Unset) {
        return {false, {expected, "TMOUT is not set" + shell, where}};
    }
    const auto seconds = parse_number<std::int64_t>(one.tmout.text);
    const bool is_in_time = seconds && *seconds > 0 && *seconds <= most;
    if (is_login && is_in_time && one.tmout.is_read_only && !one.tmout.is_exported && one.tmout.may_be_exported) {
        return {std::nullopt, {expected, "whether TMOUT is exported depends" + shell, where}};
    }
    const bool is_kept = !is_login || (one.tmout.is_read_only && one.tmout.is_exported);
    const std::string found = "TMOUT=" + one.tmout.text + (one.tmout.is_read_only ? ", read-only" : "") +
                              (one.tmout.is_exported ? ", exported" : "") + shell;
    return {is_in_time && is_kept, {expected, found, where}};
}

Result<Outcome> evaluate_timeout(const Arguments& arguments, Facts& facts)
{
    const auto most = arguments.number("at_most");
    TRY_ASSIGN(const auto root, root_user(facts));
    std::vector<Outcome> parts;
    for (const auto& user : {any_user(), root}) {
        TRY_ASSIGN(auto part, judge_sessions(facts, user, [&](ShellKind kind, const ShellOutcome& one) {
                       return judge_timeout(most, user.uid == 0 ? "root" : "a user", kind, one);
                   }));
        parts.push_back(std::move(part));
    }
    return all_of(parts);
}

Way judge_umask(std::uint32_t wanted, const std::string& who, ShellKind kind, const ShellOutcome& one)
{
    const std::string expected = "umask " + octal(wanted) + " or tighter";
    const std::string shell = " (" + kind_name(kind) + " of " + who + ")";
    if (!one.umask) {
        return {std::nullopt, {expected, "it depends" + shell, one.umask_where}};
    }
    return {(*one.umask & wanted) == wanted, {expected, "umask " + octal(*one.umask) + shell, one.umask_where}};
}

Result<Outcome> evaluate_umask(const Arguments& arguments, Facts& facts)
{
    const bool is_root = arguments.text("who") == "root";
    ShellUser user = any_user();
    if (is_root) {
        TRY_ASSIGN(user, root_user(facts));
    }
    return judge_sessions(facts, user, [&](ShellKind kind, const ShellOutcome& one) {
        return judge_umask(arguments.mode("umask"), is_root ? "root" : "a user", kind, one);
    });
}

/// One folder of PATH.
Result<Way> judge_folder(const host::Host& host, const std::string& folder, const std::string& where)
{
    constexpr std::uint32_t kOthersWrite = 022;
    const std::string expected = "a folder of root's that nobody else may write to";
    if (folder.empty() || folder.front() != '/') {
        const std::string what = folder.empty() ? "nothing between colons, which is the working directory"
                                                : folder + ", which depends on the working directory";
        return Way{false, {expected, what, where}};
    }
    const auto facts = host.facts(folder);
    if (!facts && facts.error().kind != ErrorKind::NotFound) {
        return facts.error();
    }
    const bool is_folder = facts && facts->type == host::FileType::Directory;
    const bool is_good = is_folder && facts->uid == 0 && (facts->mode & kOthersWrite) == 0;
    const std::string found =
        is_folder ? "mode " + octal(facts->mode) + ", owner " + std::to_string(facts->uid) : "no such folder";
    return Way{is_good, {expected, folder + ": " + found, where}};
}

Result<Way> judge_path(const host::Host& host, const ShellOutcome& one)
{
    if (one.path.value != ShellVariable::Value::Set) {
        const bool is_unset = one.path.value == ShellVariable::Value::Unset;
        return Way{std::nullopt, {"PATH is known", is_unset ? "PATH is not set" : "it depends", one.path.where}};
    }
    const std::string where = one.path.where.empty() ? "as the login begins with it" : one.path.where;
    Way out{true, {"folders of root's that nobody else may write to", "PATH=" + one.path.text, where}};
    for (const auto folder : split(one.path.text, ':')) {
        TRY_ASSIGN(auto way, judge_folder(host, std::string(folder), where));
        if (way.is_right != true) {
            return way;
        }
    }
    return out;
}

Result<Outcome> evaluate_path(const Arguments& /*arguments*/, Facts& facts)
{
    TRY_ASSIGN(const auto root, root_user(facts));
    TRY_ASSIGN(const auto starts, shell_starts(facts, root));
    TRY_ASSIGN(const auto outcomes, shell_outcomes(facts.host(), ShellKind::Login, root, starts));
    std::vector<Way> ways;
    for (const auto& one : outcomes) {
        TRY_ASSIGN(auto way, judge_path(facts.host(), one));
        ways.push_back(std::move(way));
    }
    return judged(ways, outcomes);
}

} // namespace

const Primitive kShellTimeoutPrimitive{
    "shell-timeout", "An idle bash ends by itself: TMOUT is set, read-only and exported by the start files.",
    kTimeoutArguments, evaluate_timeout};
const Primitive kShellUmaskPrimitive{
    "shell-umask", "What a bash begins with as umask, by PAM, login.defs and the start files, is tight enough.",
    kUmaskArguments, evaluate_umask};
const Primitive kRootPathPrimitive{
    "root-path",
    "Every folder in the PATH of root's login shell is root's, and nobody else may write to it.",
    {},
    evaluate_path};

} // namespace hostward::hardening
