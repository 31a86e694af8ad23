// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"

#include "agent/base/text.h"
#include "hardening/models/accounts.h"
#include "hardening/models/pam.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array<std::string_view, 4> kTypes{"auth", "account", "password", "session"};
constexpr ArgumentSpec kServices{"services", ValueType::List, true, "Services, each of which must have it", {}};
constexpr ArgumentSpec kModule{"module", ValueType::Text, true, "Name of the module: pam_unix", {}};

std::string text_of(const PamEntry& entry)
{
    std::string text = entry.control + " " + entry.module;
    for (const auto& argument : entry.arguments) {
        text += " " + argument;
    }
    return text;
}

/// Lines of `module` in one stack.
std::vector<PamEntry> lines_of(const std::vector<PamEntry>& stack, const std::string& module)
{
    std::vector<PamEntry> found;
    std::ranges::copy_if(stack, std::back_inserter(found), [&](const auto& entry) { return entry.module == module; });
    return found;
}

/// Calls `judge` with every stack of the services; the first error ends it.
template <typename Judge> Result<Outcome> for_each_stack(Facts& facts, const std::vector<std::string>& services,
                                                         const std::vector<std::string>& types, Judge judge)
{
    const auto& pam = facts.get<PamServices>();
    if (!pam) {
        return pam.error();
    }
    Outcome out{Verdict::Pass, "", {}, 0};
    for (const auto& service : services) {
        for (const auto& type : types) {
            const auto stack = pam->stack(service, type);
            if (!stack) {
                return stack.error();
            }
            judge(*stack, service + " " + type, out);
        }
    }
    return out;
}

void note(Outcome& out, bool is_good, Evidence evidence)
{
    out.verdict = is_good ? out.verdict : Verdict::Fail;
    out.add(std::move(evidence));
}

constexpr std::array kModuleArguments{
    kModule,
    kServices,
    ArgumentSpec{"types", ValueType::List, true, "Stacks in which each service must have the module", kTypes},
    ArgumentSpec{"all_of", ValueType::List, false, "Arguments that each line of the module must have", {}},
    ArgumentSpec{"any_of", ValueType::List, false, "Arguments of which each line must have one", {}},
    ArgumentSpec{"none_of", ValueType::List, false, "Arguments that no line may have", {}},
};

bool has_argument(const PamEntry& entry, const std::string& name) { return entry.argument(name).has_value(); }

std::string wanted_text(const Arguments& arguments)
{
    std::string text = arguments.text("module");
    for (const auto& name : arguments.list_or_none("all_of")) {
        text += " with " + name;
    }
    std::string any;
    for (const auto& name : arguments.list_or_none("any_of")) {
        any += (any.empty() ? " with " : " or ") + name;
    }
    text += any;
    for (const auto& name : arguments.list_or_none("none_of")) {
        text += " without " + name;
    }
    return text;
}

bool arguments_fit(const Arguments& arguments, const PamEntry& entry)
{
    const auto has = [&](const std::string& name) { return has_argument(entry, name); };
    const auto any = arguments.list_or_none("any_of");
    return std::ranges::all_of(arguments.list_or_none("all_of"), has) &&
           (any.empty() || std::ranges::any_of(any, has)) &&
           std::ranges::none_of(arguments.list_or_none("none_of"), has);
}

Result<Outcome> evaluate_module(const Arguments& arguments, Facts& facts)
{
    const std::string expected = wanted_text(arguments);
    const bool is_about_absence = arguments.has("none_of") && !arguments.has("all_of") && !arguments.has("any_of");
    return for_each_stack(
        facts, arguments.list("services"), arguments.list("types"),
        [&](const std::vector<PamEntry>& stack, const std::string& where, Outcome& out) {
            const auto lines = lines_of(stack, arguments.text("module"));
            if (lines.empty()) {
                // A module that is not there does not do what it must not do.
                note(out, is_about_absence, {expected, arguments.text("module") + " is not in the stack", where});
            }
            for (const auto& line : lines) {
                note(out, arguments_fit(arguments, line), {expected, text_of(line), line.origin.text()});
            }
        });
}

constexpr std::array kOptionArguments{
    kModule,
    kServices,
    ArgumentSpec{"type", ValueType::Text, true, "The stack", kTypes},
    ArgumentSpec{"option", ValueType::Text, true, "An argument of the module, or a setting of its file", {}},
    ArgumentSpec{"by_default", ValueType::Number, false, "What the module does without the option", {}},
    ArgumentSpec{"at_least", ValueType::Number, false, "The smallest number allowed", {}},
    ArgumentSpec{"at_most", ValueType::Number, false, "The largest number allowed", {}},
    ArgumentSpec{"or_zero", ValueType::Flag, false, "True: 0 is allowed too", {}},
    ArgumentSpec{"is_set", ValueType::Flag, false, "True: the option must be there, false: it must not", {}},
};

struct Found {
    std::optional<std::string> value;
    std::string where;
};

/// Arguments win over the file.
Result<Found> option_of(const PamEntry& line, const std::string& option, Facts& facts)
{
    if (auto value = line.argument(option)) {
        return Found{std::move(value), line.origin.text()};
    }
    TRY_ASSIGN(const auto settings, read_pam_settings(facts, line.module, line.argument("conf").value_or("")));
    const auto setting = settings.values.find(option);
    if (setting != settings.values.end()) {
        return Found{setting->second.first, setting->second.second.text()};
    }
    return Found{std::nullopt, line.origin.text()};
}

std::string bounds_text(const Arguments& arguments)
{
    std::string text = arguments.text("option");
    if (arguments.has("is_set")) {
        return text + (arguments.flag_or("is_set", true) ? " set" : " not set");
    }
    if (arguments.has("at_least")) {
        text += " at least " + std::to_string(arguments.number("at_least"));
    }
    if (arguments.has("at_most")) {
        text += " at most " + std::to_string(arguments.number("at_most"));
    }
    return text + (arguments.flag_or("or_zero", false) ? " or 0" : "");
}

bool option_fits(const Arguments& arguments, const std::optional<std::string>& value)
{
    if (arguments.has("is_set")) {
        return value.has_value() == arguments.flag_or("is_set", true);
    }
    std::optional<std::int64_t> number;
    if (value) {
        number = parse_number<std::int64_t>(*value);
    } else if (arguments.has("by_default")) {
        number = arguments.number("by_default");
    }
    if (!number) {
        return false;
    }
    return (arguments.flag_or("or_zero", false) && *number == 0) ||
           (*number <= arguments.number_or("at_most", *number) && *number >= arguments.number_or("at_least", *number));
}

Result<Outcome> evaluate_option(const Arguments& arguments, Facts& facts)
{
    Status status = success();
    const std::string expected = bounds_text(arguments);
    auto out = for_each_stack(
        facts, arguments.list("services"), {arguments.text("type")},
        [&](const std::vector<PamEntry>& stack, const std::string& where, Outcome& so_far) {
            const auto lines = lines_of(stack, arguments.text("module"));
            if (lines.empty()) {
                note(so_far, false, {expected, arguments.text("module") + " is not in the stack", where});
            }
            for (const auto& line : lines) {
                const auto found = option_of(line, arguments.text("option"), facts);
                if (!found) {
                    status = found.error();
                    return;
                }
                const std::string seen = !found->value           ? "not set"
                                         : found->value->empty() ? arguments.text("option")
                                                                 : *found->value;
                note(so_far, option_fits(arguments, found->value), {expected, seen, found->where});
            }
        });
    TRY(std::move(status));
    return out;
}

constexpr std::array kFaillockArguments{
    kServices,
    ArgumentSpec{"account_services", ValueType::List, true, "Services whose account stack must have it", {}},
};

/// Where a failed password goes on to the next module.
bool goes_on_after_failure(const PamEntry& entry)
{
    return entry.control != "requisite" && entry.control.find("default=die") == entry.control.npos;
}

/// Before the password it must refuse those who are locked, after it must count the failure.
void judge_faillock(const std::vector<PamEntry>& stack, const std::string& where, Outcome& out)
{
    const auto password = std::ranges::find(stack, std::string("pam_unix"), &PamEntry::module);
    const auto is_faillock = [](const PamEntry& entry, const char* argument) {
        return entry.module == "pam_faillock" && has_argument(entry, argument);
    };
    const bool has_before =
        std::any_of(stack.begin(), password, [&](const auto& e) { return is_faillock(e, "preauth"); });
    const auto after = std::find_if(password, stack.end(), [&](const auto& e) { return is_faillock(e, "authfail"); });
    const bool is_reached = after != stack.end() && std::all_of(password, after, goes_on_after_failure);
    note(out, has_before, {"pam_faillock preauth before pam_unix", has_before ? "it is there" : "it is not", where});
    note(out, is_reached,
         {"pam_faillock authfail where a failed pam_unix goes on", is_reached ? text_of(*after) : "it is not reached",
          after == stack.end() ? where : after->origin.text()});
}

Result<Outcome> evaluate_faillock(const Arguments& arguments, Facts& facts)
{
    TRY_ASSIGN(auto out, for_each_stack(facts, arguments.list("services"), {"auth"}, judge_faillock));
    TRY_ASSIGN(const auto account, for_each_stack(facts, arguments.list("account_services"), {"account"},
                                                  [](const auto& stack, const std::string& where, Outcome& so_far) {
                                                      const auto lines = lines_of(stack, "pam_faillock");
                                                      note(so_far, !lines.empty(),
                                                           {"pam_faillock in the account stack",
                                                            lines.empty() ? "it is not" : text_of(lines.front()),
                                                            lines.empty() ? where : lines.front().origin.text()});
                                                  }));
    return all_of({std::move(out), account});
}

Result<Outcome> evaluate_su(const Arguments& /*arguments*/, Facts& facts)
{
    const auto& groups = facts.get<Groups>();
    if (!groups) {
        return groups.error();
    }
    return for_each_stack(
        facts, {"su"}, {"auth"}, [&](const std::vector<PamEntry>& stack, const std::string& where, Outcome& out) {
            const std::string expected = "pam_wheel required, with use_uid and a group= that has no members";
            const auto lines = lines_of(stack, "pam_wheel");
            const auto strict = std::ranges::find_if(lines, [](const PamEntry& line) {
                const bool decides = line.control == "required" || line.control == "requisite";
                return decides && has_argument(line, "use_uid") && !has_argument(line, "trust") &&
                       !line.argument("group").value_or("").empty();
            });
            if (strict == lines.end()) {
                note(out, false,
                     {expected, lines.empty() ? "pam_wheel is not there" : text_of(lines.front()),
                      lines.empty() ? where : lines.front().origin.text()});
                return;
            }
            const Group* group = groups->find(*strict->argument("group"));
            const bool is_empty = group != nullptr && group->members.empty();
            const std::string members =
                group == nullptr ? "there is no such group" : std::to_string(group->members.size()) + " members";
            note(out, is_empty, {expected, text_of(*strict) + ": " + members, strict->origin.text()});
        });
}

} // namespace

const Primitive kPamModulePrimitive{"pam_module",
                                    "A PAM module is in the stacks of services, with the arguments wanted.",
                                    kModuleArguments, evaluate_module};
const Primitive kPamOptionPrimitive{"pam_option",
                                    "An option of a PAM module: its arguments, else its file, else its default.",
                                    kOptionArguments, evaluate_option};
const Primitive kPamFaillockPrimitive{"pam_faillock", "Failed passwords are counted, and whoever is locked is refused.",
                                      kFaillockArguments, evaluate_faillock};
const Primitive kPamSuPrimitive{"pam_su", "su is for members of a group that has none.", {}, evaluate_su};

} // namespace hostward::hardening
