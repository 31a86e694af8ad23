// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"

#include "agent/base/text.h"
#include "hardening/models/kernel_arguments.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kArguments{
    ArgumentSpec{"name", ValueType::Text, true, "an argument of the kernel's command line", {}},
    ArgumentSpec{"values", ValueType::List, false, "one of these it must have; the last of several counts", {}},
    ArgumentSpec{"without", ValueType::List, false, "none of these it may have; it may be absent", {}},
    ArgumentSpec{"contains", ValueType::Text, false, "a word that must be in its list between commas", {}},
    ArgumentSpec{"minimum", ValueType::Number, false, "a number that it must reach", {}},
};

bool is_in(const std::vector<std::string>& list, const std::string& value)
{
    return std::ranges::find(list, value) != list.end();
}

std::string expected_of(const Arguments& arguments)
{
    const auto& name = arguments.text("name");
    std::string text;
    const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
    for (const auto& value : arguments.list_or_none("values")) {
        add(name + "=" + value);
    }
    for (const auto& value : arguments.list_or_none("without")) {
        add("not " + name + "=" + value);
    }
    if (arguments.has("contains")) {
        add(name + " with " + arguments.text("contains"));
    }
    if (arguments.has("minimum")) {
        add(name + " at least " + std::to_string(arguments.number("minimum")));
    }
    return text.empty() ? name : text;
}

bool fits(const Arguments& arguments, const std::vector<KernelArgument>& line)
{
    const auto* found = find_argument(line, arguments.text("name"));
    const std::string value = found == nullptr ? "" : found->value.value_or("");
    const bool is_forbidden = found != nullptr && is_in(arguments.list_or_none("without"), value);
    if (is_forbidden || (found == nullptr && !arguments.has("without"))) {
        return false;
    }
    if (arguments.has("values") && !is_in(arguments.list("values"), value)) {
        return false;
    }
    const auto parts = split(value, ',');
    if (arguments.has("contains") && std::ranges::find(parts, arguments.text("contains")) == parts.end()) {
        return false;
    }
    return !arguments.has("minimum") || parse_number<std::int64_t>(value).value_or(-1) >= arguments.number("minimum");
}

Outcome judge(const Arguments& arguments, const std::vector<KernelArgument>& line, const std::string& where)
{
    const auto* found = find_argument(line, arguments.text("name"));
    const std::string text = found == nullptr ? "absent" : found->name + (found->value ? "=" + *found->value : "");
    return Outcome::pass_if(fits(arguments, line), {expected_of(arguments), text, where});
}

Result<Outcome> evaluate_kernel_argument(const Arguments& arguments, Facts& facts)
{
    std::vector<Outcome> parts;
    if (facts.host().is_running()) {
        const auto& running = facts.get<RunningArguments>();
        if (!running) {
            return running.error();
        }
        parts.push_back(judge(arguments, running->arguments, "/proc/cmdline"));
    }
    const auto& boot = facts.get<BootEntries>();
    if (!boot) {
        parts.push_back(Outcome::cannot_tell(boot.error().text));
    } else if (boot->entries.empty()) {
        parts.push_back(Outcome::cannot_tell("no configuration of a boot loader that we know is in /boot"));
    } else {
        for (const auto& entry : boot->entries) {
            parts.push_back(judge(arguments, entry.arguments, entry.where.text()));
        }
    }
    return all_of(parts);
}

} // namespace

const Primitive kKernelArgumentPrimitive{
    "kernel_argument",
    "The kernel was started with the argument, and every entry of the boot loader (GRUB, BLS) has it.", kArguments,
    evaluate_kernel_argument};

} // namespace hostward::hardening
