// SPDX-License-Identifier: Apache-2.0
// Whether audit's rules are locked, and whether the kernel has those of the files.
#include "hardening/models/audit_config.h"
#include "hardening/models/audit_kernel.h"
#include "hardening/primitives/primitives.h"

#include <algorithm>
#include <string>

namespace hostward::hardening {

namespace {

constexpr std::uint32_t kLocked = 2;

Outcome lock_of_files(const AuditConfig& config)
{
    const std::string expected = "-e 2, after all rules";
    if (config.loaded_by.empty()) {
        return Outcome::of(Verdict::Fail, {expected, "no unit loads audit rules at boot", "/etc/audit"});
    }
    const auto& enabled = config.state.enabled;
    if (config.state.stops_at && !(enabled && enabled->value == kLocked)) {
        return Outcome::of(Verdict::Fail, {expected, "auditctl stops before it: " + config.state.refused.back().why,
                                           config.state.stops_at->text()});
    }
    if (!enabled) {
        return Outcome::of(Verdict::Fail, {expected, "no -e", config.source});
    }
    if (enabled->value == kLocked && config.state.stops_at) {
        return Outcome::of(Verdict::Fail,
                           {expected, "after it: " + config.state.refused.back().why, config.state.stops_at->text()});
    }
    return Outcome::pass_if(enabled->value == kLocked,
                            {expected, "-e " + std::to_string(enabled->value), enabled->where.text()});
}

Outcome lock_of_kernel(Facts& facts, bool is_in_files)
{
    const auto& kernel = facts.get<AuditKernel>();
    if (!facts.host().is_running()) {
        return Outcome::not_applicable("an image has no running kernel");
    }
    if (!kernel) {
        return Outcome::cannot_tell(kernel.error().text);
    }
    const bool is_locked = kernel->status.enabled == kLocked;
    const std::string words = is_locked && !is_in_files   ? ", lost at the next boot"
                              : !is_locked && is_in_files ? ", the lock of the files is not loaded"
                                                          : "";
    return Outcome::pass_if(
        is_locked, {"enabled 2", "enabled " + std::to_string(kernel->status.enabled) + words, "the running kernel"});
}

Result<Outcome> evaluate_locked(const Arguments& /*arguments*/, Facts& facts)
{
    const auto& config = facts.get<AuditConfig>();
    if (!config) {
        return config.error();
    }
    const auto files = lock_of_files(*config);
    return all_of({files, lock_of_kernel(facts, files.verdict == Verdict::Pass)});
}

/// Rules of one side that the other does not have, and where.
void add_missing(const std::vector<AuditRule>& of, const std::vector<AuditRule>& in, const std::string& found,
                 Outcome& out)
{
    for (const auto& rule : of) {
        if (std::ranges::none_of(in, [&](const auto& other) { return is_same_meaning(rule, other); })) {
            out.verdict = Verdict::Fail;
            out.add({audit_rule_text(rule), found, rule.where.text()});
        }
    }
}

/// Rules of one list that both have stand in the same order.
bool is_same_order(const std::vector<AuditRule>& one, const std::vector<AuditRule>& other)
{
    return std::ranges::all_of(one, [&](const AuditRule& rule) {
        const auto of_list = [&](const std::vector<AuditRule>& rules) {
            std::vector<const AuditRule*> out;
            for (const auto& each : rules) {
                if (each.list == rule.list) {
                    out.push_back(&each);
                }
            }
            return out;
        };
        const auto left = of_list(one);
        const auto right = of_list(other);
        return std::ranges::equal(left, right, [](const auto* a, const auto* b) { return is_same_meaning(*a, *b); });
    });
}

Result<Outcome> evaluate_loaded(const Arguments& /*arguments*/, Facts& facts)
{
    if (!facts.host().is_running()) {
        return Outcome::cannot_tell("an image has no running kernel to compare with");
    }
    const auto& config = facts.get<AuditConfig>();
    if (!config) {
        return config.error();
    }
    const auto& kernel = facts.get<AuditKernel>();
    if (!kernel) {
        return kernel.error();
    }
    Outcome out{Verdict::Pass, "", {}, 0};
    for (const auto& refusal : config->state.refused) {
        out.verdict = Verdict::Fail;
        out.add({"a line that auditctl takes", refusal.why, refusal.where.text()});
    }
    add_missing(config->state.rules, kernel->rules, "in the files, but not loaded", out);
    add_missing(kernel->rules, config->state.rules, "loaded now, but in no file", out);
    const bool is_in_order = out.verdict == Verdict::Fail || is_same_order(config->state.rules, kernel->rules);
    if (!is_in_order) {
        out.verdict = Verdict::Fail;
    }
    out.add({"the rules of the files",
             std::to_string(kernel->rules.size()) + " loaded, " + std::to_string(config->state.rules.size()) +
                 " in the files" + (is_in_order ? "" : ", in another order"),
             config->loaded_by.empty() ? "no unit loads rules" : config->source});
    return out;
}

} // namespace

const Primitive kAuditLockedPrimitive{
    "audit_locked", "The rules of audit cannot be changed until the next boot.", {}, evaluate_locked};
const Primitive kAuditLoadedPrimitive{
    "audit_loaded", "The running kernel has the audit rules of the files, no more and no fewer.", {}, evaluate_loaded};

} // namespace hostward::hardening
