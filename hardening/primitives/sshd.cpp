// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"

#include "agent/base/text.h"
#include "hardening/models/lines.h"
#include "hardening/models/shell_assignments.h"
#include "hardening/models/sshd_effective.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kArguments{
    ArgumentSpec{"keyword", ValueType::Text, true, "A keyword of sshd_config(5), lower case", {}},
    ArgumentSpec{"any_of", ValueType::List, false, "Values, as `sshd -T` prints them, one of which it must be", {}},
    ArgumentSpec{"at_most", ValueType::Number, false, "The largest number allowed", {}},
    ArgumentSpec{"at_least", ValueType::Number, false, "The smallest number allowed", {}},
    ArgumentSpec{"startups_at_most", ValueType::Text, false, "START:RATE:FULL, none of which may be exceeded", {}},
    ArgumentSpec{"none_of", ValueType::List, false, "Names that the list of algorithms must not have", {}},
    ArgumentSpec{"is_set", ValueType::Flag, false, "True: some value other than `none` must be set", {}},
    ArgumentSpec{"user",
                 ValueType::Text,
                 false,
                 "Match blocks that cannot mean this user do not count; without it all of them do",
                 {}},
};

std::string expected_text(const Arguments& arguments)
{
    std::vector<std::string> parts;
    if (arguments.has("any_of")) {
        parts.push_back(joined(arguments.list("any_of"), " or "));
    }
    if (arguments.has("at_least")) {
        parts.push_back("at least " + std::to_string(arguments.number("at_least")));
    }
    if (arguments.has("at_most")) {
        parts.push_back("at most " + std::to_string(arguments.number("at_most")));
    }
    if (arguments.has("startups_at_most")) {
        parts.push_back("at most " + arguments.text("startups_at_most"));
    }
    if (arguments.has("none_of")) {
        parts.push_back("none of " + joined(arguments.list("none_of"), ", "));
    }
    if (arguments.flag_or("is_set", false)) {
        parts.emplace_back("set");
    }
    return arguments.text("keyword") + " " + joined(parts, " and ");
}

bool startups_fit(const std::string& value, const std::string& bound)
{
    const auto given = split(value, ':');
    const auto allowed = split(bound, ':');
    if (given.size() != allowed.size()) {
        return false;
    }
    for (std::size_t i = 0; i < given.size(); ++i) {
        const auto have = parse_number<int>(given[i]);
        const auto most = parse_number<int>(allowed[i]);
        if (!have || !most || *have > *most) {
            return false;
        }
    }
    return true;
}

bool number_fits(const Arguments& arguments, const std::string& value)
{
    const auto number = parse_number<std::int64_t>(value);
    return number && *number <= arguments.number_or("at_most", *number) &&
           *number >= arguments.number_or("at_least", *number);
}

bool list_fits(const Arguments& arguments, const std::string& value)
{
    const auto unwanted = arguments.list_or_none("none_of");
    return std::ranges::none_of(
        split(value, ','), [&](std::string_view name) { return std::ranges::find(unwanted, name) != unwanted.end(); });
}

bool fits(const Arguments& arguments, const std::string& value)
{
    const auto& allowed = arguments.list_or_none("any_of");
    return (allowed.empty() || std::ranges::find(allowed, value) != allowed.end()) &&
           ((!arguments.has("at_most") && !arguments.has("at_least")) || number_fits(arguments, value)) &&
           (!arguments.has("startups_at_most") || startups_fit(value, arguments.text("startups_at_most"))) &&
           list_fits(arguments, value) && (!arguments.flag_or("is_set", false) || (value != "none" && !value.empty()));
}

std::string where(const SshdValue& value)
{
    return value.origin.file.empty() ? "default of sshd" : value.origin.text();
}

Outcome judge(const Arguments& arguments, const SshdConfig& config, const SshdEffective& effective)
{
    const std::string& keyword = arguments.text("keyword");
    const std::string expected = expected_text(arguments);
    const auto found = effective.values.find(keyword);
    const bool has_value = found != effective.values.end() && !found->second.empty();
    if (!has_value && !arguments.flag_or("is_set", false)) {
        return Outcome::cannot_tell("no line sets " + keyword + ", and what sshd does then depends on its version");
    }
    Outcome out{Verdict::Pass, "", {}, 0};
    if (!has_value) {
        return Outcome::of(Verdict::Fail, {expected, "not set", config.file.path});
    }
    for (const auto& value : found->second) {
        if (!fits(arguments, value.text)) {
            out.verdict = Verdict::Fail;
        }
        out.add({expected, value.text, where(value)});
    }
    return out;
}

/// What a Match block changes for the worse.
void judge_overrides(const Arguments& arguments, const SshdConfig& config, Outcome& out)
{
    for (const auto& change : sshd_overrides(config)) {
        const bool is_meant = change.keyword == arguments.text("keyword") &&
                              (!arguments.has("user") || may_match_user(change.criteria, arguments.text("user")));
        if (is_meant && !fits(arguments, change.value.text)) {
            out.verdict = Verdict::Fail;
            out.add({expected_text(arguments), change.value.text + " for Match " + joined(change.criteria, " "),
                     where(change.value)});
        }
    }
}

Result<Outcome> evaluate(const Arguments& arguments, Facts& facts)
{
    const auto& config = facts.get<SshdConfig>();
    if (!config) {
        return config.error();
    }
    if (!config->is_installed) {
        return Outcome::not_applicable("there is no OpenSSH server");
    }
    if (!config->is_there) {
        return Outcome::cannot_tell("there is a /usr/sbin/sshd, but no /etc/ssh/sshd_config");
    }
    const SshdConnection nobody;
    const auto effective = evaluate_sshd(*config, &nobody);
    if (!effective.problems.empty()) {
        const auto& problem = effective.problems.front();
        return Outcome::cannot_tell("sshd would not start: " + problem.origin.text() + ": " + problem.text);
    }
    Outcome out = judge(arguments, *config, effective);
    if (out.verdict != Verdict::CannotTell) {
        judge_overrides(arguments, *config, out);
    }
    return out;
}

constexpr const char* kPolicyFile = "/etc/crypto-policies/back-ends/opensshserver.config";

bool includes_policy(const SshdFile& file)
{
    return file.path == kPolicyFile || std::ranges::any_of(file.lines, [](const SshdLine& line) {
               return std::ranges::any_of(line.included, includes_policy);
           });
}

Result<Outcome> evaluate_policy(const Arguments& /*arguments*/, Facts& facts)
{
    const auto& config = facts.get<SshdConfig>();
    if (!config) {
        return config.error();
    }
    if (!config->is_installed) {
        return Outcome::not_applicable("there is no OpenSSH server");
    }
    TRY_ASSIGN(const auto settings, read_shell_assignments(facts.host(), "/etc/sysconfig/sshd"));
    const std::string expected = std::string("sshd reads ") + kPolicyFile;
    if (const auto* opt_out = last_assignment(settings, "CRYPTO_POLICY"); opt_out != nullptr) {
        return Outcome::of(Verdict::Fail, {expected, "CRYPTO_POLICY is set", opt_out->where.text()});
    }
    return Outcome::pass_if(
        includes_policy(config->file),
        {expected, includes_policy(config->file) ? "it does" : "no file includes it", config->file.path});
}

} // namespace

const Primitive kSshdCryptoPolicyPrimitive{
    "sshd_crypto_policy", "sshd takes its algorithms from the system's crypto policy.", {}, evaluate_policy};
const Primitive kSshdPrimitive{"sshd",
                               "What sshd does by its configuration: first value, includes, Match blocks and defaults.",
                               kArguments, evaluate};

} // namespace hostward::hardening
