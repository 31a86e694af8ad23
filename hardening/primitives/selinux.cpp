// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"

#include "agent/base/text.h"
#include "hardening/models/kernel_arguments.h"
#include "hardening/models/selinux.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array<std::string_view, 2> kModes{"permissive", "enforcing"};
constexpr std::array kModeArguments{
    ArgumentSpec{"at_least", ValueType::Text, true, "the mode", kModes},
};
constexpr std::array kPolicyArguments{
    ArgumentSpec{"policies", ValueType::List, true, "policies, one of which it must be", {}},
};
constexpr std::array kDomainArguments{
    ArgumentSpec{"domains", ValueType::List, true, "types that no process may have: `unconfined_service_t`", {}},
};

std::string argument(const std::vector<KernelArgument>& line, std::string_view name)
{
    const auto* found = find_argument(line, name);
    return found == nullptr ? "" : found->value.value_or("");
}

/// The mode that the next boot ends in: systemd loads the policy, the command line overrides the file.
SelinuxMode boot_mode(const SelinuxConfig& config, const std::vector<KernelArgument>& line)
{
    const auto of_file = config.mode.value_or(SelinuxMode::Permissive);
    const auto enforcing = parse_number<int>(argument(line, "enforcing"));
    if (argument(line, "selinux") == "0" || of_file == SelinuxMode::Disabled || !config.is_there) {
        return SelinuxMode::Disabled;
    }
    return enforcing ? (*enforcing > 0 ? SelinuxMode::Enforcing : SelinuxMode::Permissive) : of_file;
}

Outcome judge(SelinuxMode mode, SelinuxMode least, const std::string& when, const std::string& where)
{
    return Outcome::pass_if(mode >= least, {std::string("at least ") + selinux_mode_name(least),
                                            std::string(selinux_mode_name(mode)) + " " + when, where});
}

Result<Outcome> evaluate_selinux_mode(const Arguments& arguments, Facts& facts)
{
    const auto least = arguments.text("at_least") == "enforcing" ? SelinuxMode::Enforcing : SelinuxMode::Permissive;
    std::vector<Outcome> parts;
    if (facts.host().is_running()) {
        const auto& running = facts.get<RunningSelinux>();
        parts.push_back(running ? judge(running->mode, least, "now", "/sys/fs/selinux/enforce")
                                : Outcome::cannot_tell(running.error().text));
    }
    const auto& config = facts.get<SelinuxConfig>();
    const auto& boot = facts.get<BootEntries>();
    if (!config || !boot) {
        return config ? boot.error() : config.error();
    }
    parts.push_back(judge(boot_mode(*config, {}), least, "at the next boot", config->mode_where.text()));
    for (const auto& entry : boot->entries) {
        if (find_argument(entry.arguments, "selinux") != nullptr ||
            find_argument(entry.arguments, "enforcing") != nullptr) {
            parts.push_back(judge(boot_mode(*config, entry.arguments), least, "with this entry", entry.where.text()));
        }
    }
    return all_of(parts);
}

Result<Outcome> evaluate_selinux_policy(const Arguments& arguments, Facts& facts)
{
    const auto& config = facts.get<SelinuxConfig>();
    if (!config) {
        return config.error();
    }
    const auto& wanted = arguments.list("policies");
    const std::string expected = joined(wanted, " or ");
    const bool fits = config->is_there && std::ranges::find(wanted, config->type) != wanted.end();
    std::vector<Outcome> parts{Outcome::pass_if(
        fits, {expected, config->is_there ? config->type : "no configuration", config->type_where.text()})};
    if (facts.host().is_running()) {
        const auto& running = facts.get<RunningSelinux>();
        parts.push_back(running ? judge(running->mode, SelinuxMode::Permissive, "now", "/sys/fs/selinux/enforce")
                                : Outcome::cannot_tell(running.error().text));
    }
    return all_of(parts);
}

/// The type of `user:role:type:level`.
std::string type_of(std::string_view label)
{
    const auto parts = split(label.substr(0, label.find_first_of(std::string_view("\n\0", 2))), ':');
    return parts.size() < 3 ? "" : std::string(parts[2]);
}

Result<Outcome> evaluate_selinux_domain(const Arguments& arguments, Facts& facts)
{
    const auto& host = facts.host();
    const auto& running = facts.get<RunningSelinux>();
    if (!running) {
        return running.error();
    }
    if (running->mode == SelinuxMode::Disabled) {
        return Outcome::of(Verdict::Fail,
                           {"confined processes", "SELinux is off: nothing is confined", "/sys/fs/selinux"});
    }
    TRY_ASSIGN(const auto names, host.list("/proc"));
    std::vector<Outcome> parts;
    for (const auto& name : names) {
        const auto label =
            parse_number<int>(name) ? host.read("/proc/" + name + "/attr/current") : Result<std::string>("");
        const bool has_ended =
            !label && (label.error().kind == ErrorKind::NotFound || label.error().error_number == ESRCH);
        if (!label && !has_ended) {
            return label.error();
        }
        const std::string type = label ? type_of(*label) : "";
        if (std::ranges::find(arguments.list("domains"), type) != arguments.list("domains").end()) {
            const auto command = host.read("/proc/" + name + "/comm");
            parts.push_back(Outcome::of(Verdict::Fail,
                                        {"not " + type, command ? command->substr(0, command->find('\n')) : "a process",
                                         "/proc/" + name + "/attr/current"}));
        }
    }
    return parts.empty() ? Outcome::of(Verdict::Pass, {"no process in these domains", "none", "/proc/*/attr/current"})
                         : all_of(parts);
}

} // namespace

const Primitive kSelinuxModePrimitive{"selinux_mode", "SELinux has at least this mode, now and at the next boot.",
                                      kModeArguments, evaluate_selinux_mode};
const Primitive kSelinuxPolicyPrimitive{"selinux_policy",
                                        "SELinux's configured policy is one of these, and SELinux is on.",
                                        kPolicyArguments, evaluate_selinux_policy};
const Primitive kSelinuxDomainPrimitive{"selinux_domain", "No running process has one of these SELinux types.",
                                        kDomainArguments, evaluate_selinux_domain};

} // namespace hostward::hardening
