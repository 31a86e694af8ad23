// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"

#include "hardening/models/accounts.h"
#include "hardening/models/login_defs.h"
#include "hardening/models/shadow.h"

#include <algorithm>
#include <array>
#include <limits>

namespace hostward::hardening {

namespace {

constexpr std::int64_t kSecondsOfADay = 86400;

struct Field {
    std::string_view name;
    std::int64_t ShadowEntry::*days;
};
constexpr std::array kFields{
    Field{"max_days", &ShadowEntry::max_days},       Field{"min_days", &ShadowEntry::min_days},
    Field{"warn_days", &ShadowEntry::warn_days},     Field{"inactive_days", &ShadowEntry::inactive_days},
    Field{"changed_day", &ShadowEntry::changed_day},
};
constexpr std::array<std::string_view, kFields.size()> kFieldNames{"max_days", "min_days", "warn_days", "inactive_days",
                                                                   "changed_day"};

constexpr std::array kShadowArguments{
    ArgumentSpec{"field", ValueType::Text, true, "Of shadow(5); changed_day must not lie in the future", kFieldNames},
    ArgumentSpec{"at_least", ValueType::Number, false, "The smallest number of days allowed", {}},
    ArgumentSpec{"at_most", ValueType::Number, false, "The largest number of days allowed; unset is more", {}},
};

struct Bounds {
    std::int64_t least;
    std::int64_t most;
    std::string text;
};

Bounds bounds_of(const Arguments& arguments)
{
    Bounds out{arguments.number_or("at_least", std::numeric_limits<std::int64_t>::min()),
               arguments.number_or("at_most", std::numeric_limits<std::int64_t>::max()), ""};
    if (arguments.has("at_least")) {
        out.text += "at least " + std::to_string(out.least);
    }
    if (arguments.has("at_most")) {
        out.text += (out.text.empty() ? "at most " : " and at most ") + std::to_string(out.most);
    }
    return out;
}

/// Unset never satisfies a bound: the age has no end, the warning does not come, the account is never locked.
bool fits(std::int64_t days, const Bounds& bounds) { return days >= 0 && days >= bounds.least && days <= bounds.most; }

std::string days_text(std::int64_t days) { return days < 0 ? "not set" : std::to_string(days); }

Outcome judge_shadow(const Shadow& shadow, const Field& field, const Bounds& bounds, std::int64_t today)
{
    const bool is_date = field.name == "changed_day";
    const std::string expected = std::string(field.name) + (is_date ? " not in the future" : " " + bounds.text);
    Outcome out{Verdict::Pass, "", {}, 0};
    std::size_t looked = 0;
    for (const auto& entry : shadow.entries) {
        // A locked hash comes back when the account is unlocked.
        const auto state = entry.password.state;
        if (state != PasswordState::Usable && state != PasswordState::LockedHash && state != PasswordState::Empty) {
            continue;
        }
        ++looked;
        const std::int64_t days = entry.*field.days;
        if (is_date ? days > today : !fits(days, bounds)) {
            out.verdict = Verdict::Fail;
            out.add({expected, entry.name + ": " + days_text(days), entry.origin.text()});
        }
    }
    if (out.verdict == Verdict::Pass) {
        out.add({expected, "so it is for " + std::to_string(looked) + " accounts with a password", "/etc/shadow"});
    }
    return out;
}

Result<Outcome> evaluate_shadow(const Arguments& arguments, Facts& facts)
{
    const auto& shadow = facts.get<Shadow>();
    if (!shadow) {
        return shadow.error();
    }
    if (!shadow->is_there) {
        return Outcome::cannot_tell("there is no /etc/shadow");
    }
    const auto& field = *std::ranges::find(kFields, arguments.text("field"), &Field::name);
    return judge_shadow(*shadow, field, bounds_of(arguments), facts.now_s() / kSecondsOfADay);
}

constexpr std::array kLoginDefsArguments{
    ArgumentSpec{"key", ValueType::Text, true, "A name of login.defs(5)", {}},
    ArgumentSpec{"at_least", ValueType::Number, false, "The smallest number allowed", {}},
    ArgumentSpec{"at_most", ValueType::Number, false, "The largest number allowed", {}},
    ArgumentSpec{"any_of", ValueType::List, false, "Values, one of which it must be; case does not count", {}},
};

Result<Outcome> evaluate_login_defs(const Arguments& arguments, Facts& facts)
{
    const auto& defs = facts.get<LoginDefs>();
    if (!defs) {
        return defs.error();
    }
    const std::string& key = arguments.text("key");
    const Setting* setting = defs->last(key);
    std::string expected = key + " ";
    bool is_good = setting != nullptr;
    if (arguments.has("any_of")) {
        std::string allowed;
        bool is_among = false;
        for (const auto& value : arguments.list("any_of")) {
            allowed += (allowed.empty() ? "" : " or ") + value;
            is_among = is_among || (setting != nullptr && lower(setting->value) == lower(value));
        }
        expected += allowed;
        is_good = is_good && is_among;
    }
    if (arguments.has("at_least") || arguments.has("at_most")) {
        const auto bounds = bounds_of(arguments);
        const auto number = defs->number(key);
        expected += bounds.text;
        is_good = is_good && number && fits(*number, bounds);
    }
    return Outcome::pass_if(is_good, {expected, setting == nullptr ? "not set" : setting->value,
                                      setting == nullptr ? "/etc/login.defs" : setting->origin.text()});
}

constexpr std::array kUseraddArguments{
    ArgumentSpec{"inactive_at_most",
                 ValueType::Number,
                 true,
                 "Days from the end of a password to the lock of its account; never is more",
                 {}},
};

Result<Outcome> evaluate_useradd(const Arguments& arguments, Facts& facts)
{
    const auto& defaults = facts.get<UseraddDefaults>();
    if (!defaults) {
        return defaults.error();
    }
    const std::int64_t most = arguments.number("inactive_at_most");
    const std::int64_t days = defaults->inactive_days();
    const auto setting = defaults->settings.find("INACTIVE");
    return Outcome::pass_if(
        days >= 0 && days <= most,
        {"INACTIVE at most " + std::to_string(most), days < 0 ? "never" : std::to_string(days),
         setting == defaults->settings.end() ? "/etc/default/useradd" : setting->second.origin.text()});
}

} // namespace

const Primitive kShadowPrimitive{"shadow", "Ages of the passwords of all accounts that have one.", kShadowArguments,
                                 evaluate_shadow};
const Primitive kLoginDefsPrimitive{"login_defs", "A setting of /etc/login.defs as the shadow tools read it.",
                                    kLoginDefsArguments, evaluate_login_defs};
const Primitive kUseraddPrimitive{"useradd", "What useradd gives new accounts.", kUseraddArguments, evaluate_useradd};

} // namespace hostward::hardening
