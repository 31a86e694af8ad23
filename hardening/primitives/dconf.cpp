// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"

#include "hardening/models/dconf.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array<std::string_view, 2> kProfiles{"user", "gdm"};
constexpr std::array kArguments{
    ArgumentSpec{"profile", ValueType::Text, true, "whose settings: users' or the login screen's", kProfiles},
    ArgumentSpec{"key", ValueType::Path, true, "`/org/gnome/desktop/session/idle-delay`", {}},
    ArgumentSpec{"value", ValueType::Text, false, "as dconf writes it: `true`", {}},
    ArgumentSpec{"minimum", ValueType::Number, false, "a number that it must reach", {}},
    ArgumentSpec{"maximum", ValueType::Number, false, "a number that it must not pass", {}},
};
constexpr std::array kLockArguments{
    ArgumentSpec{"profile", ValueType::Text, true, "whose settings: users' or the login screen's", kProfiles},
    ArgumentSpec{"key", ValueType::Path, true, "what users must not be able to change", {}},
};

bool fits(const Arguments& arguments, const std::string& text)
{
    const auto number = dconf_number(text);
    return (!arguments.has("value") || text == arguments.text("value")) &&
           (!arguments.has("minimum") || (number && *number >= arguments.number("minimum"))) &&
           (!arguments.has("maximum") || (number && *number <= arguments.number("maximum"))) && text != "''";
}

std::string expected_of(const Arguments& arguments)
{
    std::string text = arguments.has("value") ? arguments.text("value") : "";
    if (arguments.has("minimum")) {
        text += "at least " + std::to_string(arguments.number("minimum"));
    }
    if (arguments.has("maximum")) {
        text += (text.empty() ? "at most " : ", at most ") + std::to_string(arguments.number("maximum"));
    }
    return text.empty() ? "set" : text;
}

std::string where_to_look(const DconfProfile& profile)
{
    return profile.is_there ? profile.path + ", /etc/dconf/db" : profile.path + " (absent)";
}

/// Files that were not compiled do not reach users.
Outcome with_staleness(Outcome outcome, const DconfProfile& profile)
{
    std::vector<Outcome> parts{std::move(outcome)};
    for (const auto& database : profile.databases) {
        if (!database.stale.empty()) {
            parts.push_back(Outcome::of(
                Verdict::Fail, {"compiled by dconf update", database.stale, "/etc/dconf/db/" + database.name}));
        }
    }
    return all_of(parts);
}

Result<Outcome> evaluate_dconf(const Arguments& arguments, Facts& facts)
{
    TRY_ASSIGN(const auto profile, read_dconf_profile(facts.host(), arguments.text("profile")));
    const auto& key = arguments.text("key");
    const auto* value = profile.value(key);
    if (value == nullptr) {
        return Outcome::of(Verdict::Fail, {key + " " + expected_of(arguments), "not set", where_to_look(profile)});
    }
    return with_staleness(Outcome::pass_if(fits(arguments, value->text),
                                           {key + " " + expected_of(arguments), value->text, value->where.text()}),
                          profile);
}

Result<Outcome> evaluate_dconf_lock(const Arguments& arguments, Facts& facts)
{
    TRY_ASSIGN(const auto profile, read_dconf_profile(facts.host(), arguments.text("profile")));
    const auto& key = arguments.text("key");
    const auto* lock = profile.lock(key);
    if (lock == nullptr) {
        return Outcome::of(Verdict::Fail, {key + " locked", "not locked", where_to_look(profile)});
    }
    return with_staleness(Outcome::of(Verdict::Pass, {key + " locked", "locked", lock->text()}), profile);
}

} // namespace

const Primitive kDconfPrimitive{"dconf", "A setting of the desktop has this value for everybody.", kArguments,
                                evaluate_dconf};
const Primitive kDconfLockPrimitive{"dconf_lock", "Users cannot change a setting of the desktop.", kLockArguments,
                                    evaluate_dconf_lock};

} // namespace hostward::hardening
