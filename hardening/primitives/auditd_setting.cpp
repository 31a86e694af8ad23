// SPDX-License-Identifier: Apache-2.0
#include "agent/base/text.h"
#include "hardening/models/auditd_conf.h"
#include "hardening/primitives/primitives.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr auto kFile = "/etc/audit/auditd.conf";
constexpr std::array kArguments{
    ArgumentSpec{"setting", ValueType::Text, true, "name of auditd.conf(5)", {}},
    ArgumentSpec{"values", ValueType::List, false, "words, one of which it must be, in any case", {}},
    ArgumentSpec{"at_least", ValueType::Number, false, "the smallest number allowed", {}},
};

std::string expected_text(const Arguments& arguments)
{
    std::string text = arguments.text("setting") + " = ";
    if (arguments.has("at_least")) {
        return text + std::to_string(arguments.number("at_least")) + " or more";
    }
    const auto values = arguments.list_or_none("values");
    for (std::size_t i = 0; i < values.size(); ++i) {
        text += (i == 0 ? "" : " or ") + values[i];
    }
    return text;
}

bool fits(const Arguments& arguments, const std::string& value)
{
    if (arguments.has("at_least")) {
        const auto number = parse_number<std::int64_t>(value);
        return number && *number >= arguments.number("at_least");
    }
    const auto values = arguments.list_or_none("values");
    return std::ranges::any_of(values, [&](const auto& one) { return lower(one) == lower(value); });
}

Result<Outcome> evaluate(const Arguments& arguments, Facts& facts)
{
    const auto& conf = facts.get<AuditdConf>();
    if (!conf) {
        return conf.error();
    }
    const std::string expected = expected_text(arguments);
    if (!conf->is_there) {
        return Outcome::of(Verdict::Fail, {expected, "there is no such file", kFile});
    }
    if (!conf->malformed.empty()) {
        return Outcome::of(Verdict::Fail,
                           {expected, "auditd does not start with this line", conf->malformed.front().text()});
    }
    const auto* setting = conf->find(arguments.text("setting"));
    if (setting == nullptr) {
        return Outcome::of(Verdict::Fail, {expected, "not set: auditd's own default counts", kFile});
    }
    return Outcome::pass_if(fits(arguments, setting->value),
                            {expected, setting->name + " = " + setting->value, setting->where.text()});
}

} // namespace

const Primitive kAuditdSettingPrimitive{"auditd_setting", "A setting of auditd.conf has one of the values.", kArguments,
                                        evaluate};

} // namespace hostward::hardening
