// SPDX-License-Identifier: Apache-2.0
// What our own guard is doing, as the kernel says.
#include "hardening/primitives/primitives.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array<std::string_view, 3> kQuestions{"loaded", "enforcing", "layers"};
constexpr std::array kArguments{
    ArgumentSpec{"is", ValueType::Text, true, "what it must be; layers: all of those that this kernel offers are on",
                 kQuestions},
    ArgumentSpec{"optional", ValueType::List, false, "layers that may be off", {}},
};
constexpr auto kWhere = "hostward guard status";

Outcome judge_layers(const Arguments& arguments, const GuardFacts& guard)
{
    const auto optional = arguments.list_or_none("optional");
    Outcome out;
    out.verdict = guard.layers.empty() ? Verdict::Fail : Verdict::Pass;
    for (const auto& layer : guard.layers) {
        const bool is_optional = std::ranges::find(optional, layer.name) != optional.end();
        if (!layer.is_on && layer.is_offered && !is_optional) {
            out.verdict = Verdict::Fail;
        }
        const std::string state = layer.is_on ? "on" : layer.is_offered ? "off" : "not offered by this kernel";
        out.add({"layer " + layer.name + (is_optional ? " may be off" : " on where the kernel offers it"),
                 state + (layer.is_on || layer.why.empty() ? "" : ": " + layer.why), kWhere});
    }
    if (guard.layers.empty()) {
        out.add({"layers on", "no layer", kWhere});
    }
    return out;
}

Result<Outcome> evaluate(const Arguments& arguments, Facts& facts)
{
    TRY_ASSIGN(const auto guard, facts.surroundings().guard());
    const auto& question = arguments.text("is");
    if (!guard.is_loaded) {
        return Outcome::of(Verdict::Fail, {question, "not loaded", kWhere});
    }
    if (question == "loaded") {
        return Outcome::of(Verdict::Pass, {question, "loaded", kWhere});
    }
    if (question == "enforcing") {
        return Outcome::pass_if(!guard.is_audit,
                                {question, guard.is_audit ? "audit: it only counts" : "enforcing", kWhere});
    }
    return judge_layers(arguments, guard);
}

} // namespace

const Primitive kGuardPrimitive{"guard", "The guard of the metadata service is loaded, enforces, has all its layers.",
                                kArguments, evaluate};

} // namespace hostward::hardening
