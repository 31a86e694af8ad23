// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/accounts.h"
#include "hardening/models/shadow.h"
#include "hardening/primitives/primitives.h"

#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kArguments{
    ArgumentSpec{"user", ValueType::List, true, "names of accounts; those that do not exist are fine", {}},
};

bool lets_in(const PasswordField& field)
{
    return field.state == PasswordState::Usable || field.state == PasswordState::Empty;
}

Result<Outcome> evaluate(const Arguments& arguments, Facts& facts)
{
    const auto& passwd = facts.get<Passwd>();
    const auto& shadow = facts.get<Shadow>();
    if (!passwd || !passwd->is_there) {
        return passwd ? Error{ErrorKind::NotFound, 0, "/etc/passwd is missing"} : passwd.error();
    }
    Outcome out{Verdict::Pass, "", {}, 0};
    for (const auto& name : arguments.list("user")) {
        const User* user = passwd->find(name);
        if (user == nullptr) {
            continue;
        }
        if (!user->password.is_shadowed) {
            out.verdict = lets_in(user->password) ? Verdict::Fail : out.verdict;
            out.add({name + " has no password", describe(user->password), user->origin.text()});
            continue;
        }
        if (!shadow) {
            return shadow.error();
        }
        const auto* entry = shadow->find(name);
        if (entry == nullptr) {
            out.add({name + " has no password", "no entry: no password matches", "/etc/shadow"});
            continue;
        }
        out.verdict = lets_in(entry->password) ? Verdict::Fail : out.verdict;
        out.add({name + " has no password", describe(entry->password), entry->origin.text()});
    }
    if (out.evidence.empty()) {
        out.add({"no password", "none of the accounts is there", "/etc/passwd"});
    }
    return out;
}

} // namespace

const Primitive kPasswordLockedPrimitive{"password-locked", "No password lets these accounts in.", kArguments,
                                         evaluate};

} // namespace hostward::hardening
