// SPDX-License-Identifier: Apache-2.0
// EC2's serial console reaches a login prompt past every security group. Without a password behind any account it is a
// prompt that lets nobody in.
#include "hardening/models/accounts.h"
#include "hardening/models/file_set.h"
#include "hardening/models/kernel_arguments.h"
#include "hardening/models/lines.h"
#include "hardening/models/shadow.h"
#include "hardening/models/units.h"
#include "hardening/primitives/primitives.h"

#include <algorithm>
#include <array>
#include <set>

namespace hostward::hardening {

namespace {

constexpr std::array<std::string_view, 4> kSerial{"ttyS", "ttyAMA", "hvc", "xvc"};
constexpr auto kDropIns = "/etc/systemd/system/serial-getty@*.service.d/*.conf";
constexpr auto kUnitFiles = "/etc/systemd/system/serial-getty@*.service";
constexpr std::array<std::string_view, 7> kNoShells{"nologin", "false", "sync",     "shutdown",
                                                    "halt",    "true",  "git-shell"};

std::string getty_of(std::string_view tty) { return "serial-getty@" + std::string(tty) + ".service"; }

bool is_serial(std::string_view console)
{
    return std::ranges::any_of(kSerial, [&](std::string_view begin) { return console.starts_with(begin); });
}

/// `console=ttyS0,115200`: systemd's generator starts a getty on each.
void add_consoles(const std::vector<KernelArgument>& arguments, std::set<std::string>& out)
{
    for (const auto& argument : arguments) {
        if (argument.name == "console" && argument.value && is_serial(*argument.value)) {
            out.insert(getty_of(std::string_view(*argument.value).substr(0, argument.value->find(','))));
        }
    }
}

/// Prompts that a boot starts; masked ones are none.
Result<std::set<std::string>> prompts(Facts& facts)
{
    const auto& units = facts.get<Units>();
    if (!units) {
        return units.error();
    }
    std::set<std::string> found;
    if (facts.host().is_running()) {
        TRY_ASSIGN(const auto running, RunningArguments::read(facts));
        add_consoles(running.arguments, found);
    } else {
        TRY_ASSIGN(const auto entries, BootEntries::read(facts));
        for (const auto& entry : entries.entries) {
            add_consoles(entry.arguments, found);
        }
    }
    for (const auto& folder : units->folders) {
        for (const auto& [target, pulled] : folder.pulls) {
            for (const auto& [name, entry] : pulled) {
                if (name.starts_with("serial-getty@")) {
                    found.insert(name);
                }
            }
        }
    }
    std::set<std::string> out;
    for (const auto& name : found) {
        TRY_ASSIGN(const auto state, units->state(facts, name));
        if (state != UnitState::Masked && state != UnitState::MaskedRuntime) {
            out.insert(name);
        }
    }
    return out;
}

bool has_shell(const User& user)
{
    const std::string_view shell = user.shell;
    return std::ranges::find(kNoShells, shell.substr(shell.rfind('/') + 1)) == kNoShells.end();
}

bool lets_in(const PasswordField& field)
{
    return field.state == PasswordState::Usable || field.state == PasswordState::Empty;
}

/// Accounts that a password lets in, as evidence.
Result<Outcome> judge_accounts(Facts& facts)
{
    const auto& passwd = facts.get<Passwd>();
    const auto& shadow = facts.get<Shadow>();
    if (!passwd || !shadow) {
        return passwd ? shadow.error() : passwd.error();
    }
    if (!passwd->is_there) {
        return Error{ErrorKind::NotFound, 0, "/etc/passwd is missing"};
    }
    Outcome out{Verdict::Pass, "", {}, 0};
    for (const auto& user : passwd->users) {
        const auto* entry = user.password.is_shadowed ? shadow->find(user.name) : nullptr;
        const auto& field = entry != nullptr ? entry->password : user.password;
        if (has_shell(user) && lets_in(field)) {
            out.verdict = Verdict::Fail;
            out.add({"no account with a password", user.name + " has " + describe(field),
                     entry != nullptr ? entry->origin.text() : user.origin.text()});
        }
    }
    if (out.evidence.empty()) {
        out.add({"no account with a password", "none", "/etc/shadow"});
    }
    return out;
}

/// A prompt that logs somebody in by itself.
Status judge_autologin(const host::Host& host, Outcome& out)
{
    for (const auto* pattern : {kDropIns, kUnitFiles}) {
        TRY_ASSIGN(const auto files, find_files(host, pattern));
        for (const auto& file : files) {
            if (file.facts.type != host::FileType::Regular) {
                continue;
            }
            TRY_ASSIGN(const std::string text, host.read(file.path));
            for_each_line(text, [&](std::string_view line, std::uint32_t number) {
                if (trimmed(line).starts_with("ExecStart=") &&
                    (line.find("--autologin") != line.npos || line.find(" -a ") != line.npos)) {
                    out.verdict = Verdict::Fail;
                    out.add({"asks for a password", "logs in by itself", Origin{file.path, number}.text()});
                }
            });
        }
    }
    return success();
}

Result<Outcome> evaluate(const Arguments& /*arguments*/, Facts& facts)
{
    TRY_ASSIGN(const auto names, prompts(facts));
    if (names.empty()) {
        return Outcome::of(Verdict::Pass,
                           {"no login on a serial line", "none starts at boot", "serial-getty@.service"});
    }
    TRY_ASSIGN(Outcome out, judge_accounts(facts));
    TRY(judge_autologin(facts.host(), out));
    for (const auto& name : names) {
        out.add({"no way in", "a prompt on a serial line", name});
    }
    return out;
}

} // namespace

const Primitive kSerialConsolePrimitive{
    "serial-console", "No login prompt on a serial line, or no account that a password lets in there.", {}, evaluate};

} // namespace hostward::hardening
