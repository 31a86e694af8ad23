// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/learn_view.h"

#include "agent/base/terminal.h"
#include "agent/base/text.h"
#include "agent/cli/policy_toml.h"
#include "agent/guard/events_time.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace hostward::cli {

namespace {

using Json = nlohmann::ordered_json;
using Names = std::set<std::string>;

std::string times_text(std::uint64_t count) { return std::to_string(count) + (count == 1 ? " time" : " times"); }

std::string period_text(std::int64_t first_ns, std::int64_t last_ns)
{
    const std::string first = guard::rfc3339(first_ns);
    return first_ns == last_ns ? "at " + first : first + " to " + guard::rfc3339(last_ns);
}

/// One comment line per name. escape() leaves neither line ends nor other control characters.
std::string names_text(const char* label, const Names& names)
{
    std::string out;
    for (const auto& name : names) {
        out.append("# ").append(label).append(escape(name)).append("\n");
    }
    if (names.size() == guard::Sighting::kNamesMax) {
        out.append("# ").append(label).append("... (only the first ").append(std::to_string(names.size()));
        out += " seen are listed)\n";
    }
    return out;
}

std::string seen_text(const guard::Sighting& seen)
{
    std::string out = "# seen   " + times_text(seen.count) + ", " + period_text(seen.first_ns, seen.last_ns) + "\n";
    out += names_text("user   ", seen.users);
    out += names_text("exe    ", seen.exes);
    out += names_text("place  ", seen.places);
    if (seen.imdsv1 > 0) {
        out += "# IMDSv1 " + times_text(seen.imdsv1) + ": without a token, which fails where IMDSv2 is required\n";
    }
    return out;
}

std::string rule_text(const guard::LearnedRule& learned)
{
    std::string out = "\n" + seen_text(learned.seen);
    for (const auto& remark : learned.remarks) {
        out += "# REVIEW: " + printable(remark) + "\n";
    }
    return out + rule_toml(learned.rule);
}

std::string refused_text(const guard::NotLearned& refused)
{
    // `why` quotes what it names.
    std::string out = "#\n" + seen_text(refused.seen) + "#   " + printable(refused.why) + "\n";
    return refused.allowed_by.empty() ? out : out + "#   but rule " + quote(refused.allowed_by) + " allows it\n";
}

std::string head_text(const guard::Learned& learned)
{
    std::string out = "# Learned from " + std::to_string(learned.decisions) +
                      " decisions that were denied, or would have been but for audit mode";
    out += learned.events == 0 ? ".\n" : ",\n# " + period_text(learned.first_ns, learned.last_ns) + ".\n";
    out += "# Review every rule: what was seen is not what should be. Delete what has to stay refused.\n"
           "# These rules are for a file in policy.d; those of the present policy are not repeated here.\n";
    if (learned.allowed_already > 0) {
        out += "# The present policy allows " + std::to_string(learned.allowed_already) + " of them already.\n";
    }
    if (learned.too_many > 0) {
        out += "# INCOMPLETE: " + std::to_string(learned.too_many) +
               " more were of callers beyond the number that is remembered. Learn again after this.\n";
    }
    return out + (learned.rules.empty() ? "# There is nothing to propose.\n" : "");
}

Json names_json(const Names& names)
{
    Json out = Json::array();
    for (const auto& name : names) {
        out.push_back(escape(name));
    }
    return out;
}

Json seen_json(const guard::Sighting& seen)
{
    return {{"count", seen.count},
            {"first", guard::rfc3339(seen.first_ns)},
            {"last", guard::rfc3339(seen.last_ns)},
            {"imdsv1", seen.imdsv1},
            {"users", names_json(seen.users)},
            {"exes", names_json(seen.exes)},
            {"places", names_json(seen.places)}};
}

Json values_json(const std::vector<config::At<std::string>>& values)
{
    Json out = Json::array();
    for (const auto& value : values) {
        out.push_back(value.value);
    }
    return out;
}

Json rule_json(const guard::LearnedRule& learned)
{
    const auto& rule = learned.rule;
    Json out{{"name", rule.name}, {"action", "allow"}};
    const std::pair<const char*, const std::vector<config::At<std::string>>&> lists[]{{"user", rule.users},
                                                                                      {"exe", rule.exes},
                                                                                      {"unit", rule.units},
                                                                                      {"cgroup", rule.cgroups},
                                                                                      {"endpoint", rule.endpoints}};
    for (const auto& [key, list] : lists) {
        out[key] = values_json(list);
    }
    out["scope"] = rule.scope == config::Scope::Container ? "container" : "host";
    out["seen"] = seen_json(learned.seen);
    out["review"] = learned.remarks;
    return out;
}

Json refused_json(const guard::NotLearned& refused)
{
    return {{"why", printable(refused.why)},
            {"allowed_by", refused.allowed_by.empty() ? Json(nullptr) : Json(refused.allowed_by)},
            {"seen", seen_json(refused.seen)}};
}

} // namespace

std::string learn_toml(const guard::Learned& learned)
{
    std::string out = head_text(learned);
    for (const auto& rule : learned.rules) {
        out += rule_text(rule);
    }
    if (!learned.refused.empty()) {
        out += "\n# Not proposed:\n";
    }
    for (const auto& refused : learned.refused) {
        out += refused_text(refused);
    }
    return out;
}

std::string learn_json(const guard::Learned& learned)
{
    Json out{{"version", 1},
             {"decisions", learned.decisions},
             {"allowed_already", learned.allowed_already},
             {"too_many", learned.too_many},
             {"rules", Json::array()},
             {"not_proposed", Json::array()}};
    for (const auto& rule : learned.rules) {
        out["rules"].push_back(rule_json(rule));
    }
    for (const auto& refused : learned.refused) {
        out["not_proposed"].push_back(refused_json(refused));
    }
    return out.dump() + "\n";
}

} // namespace hostward::cli
