// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"

#include "agent/base/text.h"
#include "hardening/models/limits.h"

#include <array>
#include <map>

namespace hostward::hardening {

namespace {

constexpr std::array kArguments{
    ArgumentSpec{"item", ValueType::Text, true, "an item of limits.conf(5): `core`", {}},
    ArgumentSpec{"maximum", ValueType::Number, true, "the hard limit that everybody may have at most", {}},
};

bool is_within(const std::string& value, std::int64_t maximum)
{
    const auto number = parse_number<std::int64_t>(value);
    return number && *number >= 0 && *number <= maximum; // -1, unlimited and infinity are no limit
}

Result<Outcome> evaluate_limit(const Arguments& arguments, Facts& facts)
{
    const auto& limits = facts.get<Limits>();
    if (!limits) {
        return limits.error();
    }
    const auto& item = arguments.text("item");
    const std::string expected = "* hard " + item + " " + std::to_string(arguments.number("maximum"));
    std::map<std::string_view, const LimitLine*> last; // of equal domains
    for (const auto& line : limits->lines) {
        if (line.item == item && line.sets_hard()) {
            last[line.domain] = &line;
        }
    }
    std::vector<Outcome> parts;
    for (const auto& [domain, line] : last) {
        if (domain != "*" && !is_within(line->value, arguments.number("maximum"))) { // this one is allowed more
            parts.push_back(Outcome::of(
                Verdict::Fail, {expected + " for all", line->domain + " " + line->type + " " + item + " " + line->value,
                                line->where.text()}));
        }
    }
    const auto all = last.find("*");
    const LimitLine* of_all = all == last.end() ? nullptr : all->second;
    const bool fits = of_all != nullptr && is_within(of_all->value, arguments.number("maximum"));
    parts.push_back(Outcome::pass_if(
        fits,
        {expected, of_all == nullptr ? "no hard limit for *" : "* " + of_all->type + " " + item + " " + of_all->value,
         of_all == nullptr ? "/etc/security/limits.conf, /etc/security/limits.d" : of_all->where.text()}));
    return all_of(parts);
}

} // namespace

const Primitive kLimitPrimitive{"limit", "pam_limits gives everybody at most this hard limit.", kArguments,
                                evaluate_limit};

} // namespace hostward::hardening
