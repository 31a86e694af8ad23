// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"

#include "agent/base/text.h"
#include "hardening/models/chrony.h"
#include "hardening/models/shell_assignments.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kSourceArguments{
    ArgumentSpec{"directives", ValueType::List, true, "directives, one of which must be there: `server`, `pool`", {}},
};

std::string where_of(const Chrony& chrony)
{
    return chrony.is_there ? chrony.path : "/etc/chrony.conf, /etc/chrony/chrony.conf";
}

Result<Outcome> evaluate_chrony_directive(const Arguments& arguments, Facts& facts)
{
    const auto& chrony = facts.get<Chrony>();
    if (!chrony) {
        return chrony.error();
    }
    std::string expected;
    for (const auto& name : arguments.list("directives")) {
        expected += (expected.empty() ? "" : " or ") + name;
        const auto* found = chrony->last(name);
        if (found != nullptr && !found->value.empty()) {
            return Outcome::of(Verdict::Pass, {expected, name + " " + found->value, found->where.text()});
        }
    }
    return Outcome::of(Verdict::Fail,
                       {expected, chrony->is_there ? "none of them" : "no configuration", where_of(*chrony)});
}

/// The user of `-u USER` or `-uUSER` on chronyd's command line; empty: not there.
std::string user_option(std::string_view options)
{
    const auto parts = words(options);
    for (std::size_t at = 0; at < parts.size(); ++at) {
        if (parts[at] == "-u" && at + 1 < parts.size()) {
            return std::string(parts[at + 1]);
        }
        if (parts[at].starts_with("-u")) {
            return std::string(parts[at].substr(2));
        }
    }
    return "";
}

/// What the configuration says. Without a word, chronyd takes the user that the distribution built in: not root.
Result<Outcome> of_config(Facts& facts)
{
    for (const auto& [file, name] :
         {std::pair("/etc/sysconfig/chronyd", "OPTIONS"), std::pair("/etc/default/chrony", "DAEMON_OPTS")}) {
        TRY_ASSIGN(const auto all, read_shell_assignments(facts.host(), file));
        const auto* options = last_assignment(all, name);
        const std::string user = options == nullptr ? "" : user_option(options->value);
        if (!user.empty()) { // beats the configuration file
            return Outcome::pass_if(user != "root", {"not root", "-u " + user, options->where.text()});
        }
    }
    const auto& chrony = facts.get<Chrony>();
    if (!chrony) {
        return chrony.error();
    }
    const auto* user = chrony->last("user");
    return Outcome::pass_if(user == nullptr || user->value != "root",
                            {"not root",
                             user == nullptr ? "no user is set: the distribution's own" : "user " + user->value,
                             user == nullptr ? where_of(*chrony) : user->where.text()});
}

/// The effective user of a /proc/PID/status.
std::optional<std::uint32_t> effective_user(std::string_view status)
{
    const auto at = status.find("\nUid:");
    const auto parts = at == status.npos ? std::vector<std::string_view>{}
                                         : words(status.substr(at + 5, status.find('\n', at + 1) - at - 5));
    return parts.size() < 2 ? std::nullopt : parse_number<std::uint32_t>(parts[1]);
}

Result<std::vector<Outcome>> of_processes(const host::Host& host)
{
    std::vector<Outcome> parts;
    TRY_ASSIGN(const auto names, host.list("/proc"));
    for (const auto& name : names) {
        const std::string folder = "/proc/" + name;
        const auto command = parse_number<int>(name) ? host.read(folder + "/comm") : Result<std::string>("");
        if (!command || *command != "chronyd\n") {
            continue;
        }
        const auto status = host.read(folder + "/status");
        const auto user = status ? effective_user(*status) : std::nullopt;
        if (user) {
            parts.push_back(Outcome::pass_if(
                *user != 0, {"not root", "chronyd runs as user " + std::to_string(*user), folder + "/status"}));
        }
    }
    return parts;
}

Result<Outcome> evaluate_chrony_user(const Arguments& /*arguments*/, Facts& facts)
{
    TRY_ASSIGN(auto config, of_config(facts));
    std::vector<Outcome> parts{std::move(config)};
    if (facts.host().is_running()) {
        TRY_ASSIGN(const auto running, of_processes(facts.host()));
        parts.insert(parts.end(), running.begin(), running.end());
    }
    return all_of(parts);
}

} // namespace

const Primitive kChronyDirectivePrimitive{"chrony_directive", "chrony's configuration has one of the directives.",
                                          kSourceArguments, evaluate_chrony_directive};
const Primitive kChronyUserPrimitive{"chrony_user", "chronyd does not run as root.", {}, evaluate_chrony_user};

} // namespace hostward::hardening
