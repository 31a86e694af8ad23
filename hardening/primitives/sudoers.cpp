// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"

#include "agent/base/text.h"
#include "hardening/models/sudoers.h"

#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kArguments{
    ArgumentSpec{"option", ValueType::Text, true, "An option of Defaults in sudoers(5)", {}},
    ArgumentSpec{"is_on", ValueType::Flag, false, "True: it must be set, for everybody and for nobody taken back", {}},
    ArgumentSpec{"never_off", ValueType::Flag, false, "True: it may not be negated, for anybody", {}},
    ArgumentSpec{
        "minutes_at_most", ValueType::Number, false, "The largest number of minutes; negative is for ever", {}},
};

std::string text_of(const SudoDefault& one)
{
    return "Defaults" + one.scope + (one.is_negated ? " !" : " ") + one.name +
           (one.value.empty() ? "" : "=" + one.value);
}

/// Minutes may have a fraction: what is over the bound in tenths is over it.
bool minutes_fit(const SudoDefault& one, std::int64_t most)
{
    if (one.is_negated) {
        return true; // 0: asked every time
    }
    const auto dot = one.value.find('.');
    const auto whole = parse_number<std::int64_t>(std::string_view(one.value).substr(0, dot));
    const bool has_fraction =
        dot != std::string::npos && one.value.find_first_not_of('0', dot + 1) != std::string::npos;
    return whole && *whole >= 0 && !one.value.starts_with('-') && (*whole < most || (*whole == most && !has_fraction));
}

bool fits(const Arguments& arguments, const SudoDefault& one)
{
    if (arguments.has("minutes_at_most")) {
        return minutes_fit(one, arguments.number("minutes_at_most"));
    }
    return !one.is_negated;
}

Result<Outcome> evaluate_default(const Arguments& arguments, Facts& facts)
{
    const auto& sudoers = facts.get<Sudoers>();
    if (!sudoers) {
        return sudoers.error();
    }
    if (!sudoers->is_there) {
        return Outcome::not_applicable("there is no /etc/sudoers");
    }
    const std::string& option = arguments.text("option");
    const bool must_be_on = arguments.flag_or("is_on", false);
    const std::string expected = arguments.has("minutes_at_most")
                                     ? option + " at most " + std::to_string(arguments.number("minutes_at_most"))
                                     : option + (must_be_on ? " set for everybody" : " not negated");
    const SudoDefault* everybody = nullptr;
    Outcome out{Verdict::Pass, "", {}, 0};
    for (const auto& one : sudoers->defaults) {
        if (one.name != option) {
            continue;
        }
        if (one.scope.empty()) {
            everybody = &one; // the last one counts
        } else if (!fits(arguments, one)) {
            out.verdict = Verdict::Fail;
            out.add({expected, text_of(one), one.origin.text()});
        }
    }
    const bool is_good = everybody == nullptr ? !must_be_on : fits(arguments, *everybody);
    out.verdict = is_good ? out.verdict : Verdict::Fail;
    out.add({expected, everybody == nullptr ? "not set" : text_of(*everybody),
             everybody == nullptr ? "/etc/sudoers" : everybody->origin.text()});
    return out;
}

Result<Outcome> evaluate_password(const Arguments& /*arguments*/, Facts& facts)
{
    const auto& sudoers = facts.get<Sudoers>();
    if (!sudoers) {
        return sudoers.error();
    }
    if (!sudoers->is_there) {
        return Outcome::not_applicable("there is no /etc/sudoers");
    }
    Outcome out{Verdict::Pass, "", {}, 0};
    for (const auto& where : sudoers->no_password) {
        out.verdict = Verdict::Fail;
        out.add({"no NOPASSWD", "NOPASSWD", where.text()});
    }
    if (out.verdict == Verdict::Pass) {
        out.add({"no NOPASSWD", "none", "/etc/sudoers"});
    }
    return out;
}

} // namespace

const Primitive kSudoDefaultPrimitive{"sudo_default", "A default of sudo, as all files of sudoers make it.", kArguments,
                                      evaluate_default};
const Primitive kSudoPasswordPrimitive{
    "sudo_password", "No specification in sudoers spares the password.", {}, evaluate_password};

} // namespace hostward::hardening
