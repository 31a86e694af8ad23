// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/units.h"
#include "hardening/primitives/primitives.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kOffArguments{
    ArgumentSpec{"unit", ValueType::List, true, "units with their suffix, all of which must be off", {}},
};
constexpr std::array kOnArguments{
    ArgumentSpec{"unit", ValueType::List, true, "units with their suffix, one of which is enough", {}},
    ArgumentSpec{
        "running", ValueType::Flag, false, "it must also run now, on a running host; true where not given", {}},
};

std::string where_of(const Units& units, const std::string& name)
{
    const std::string path = units.path_of(name);
    return path.empty() ? "unit files" : path;
}

bool is_active(const RunningUnits::State& state)
{
    return state.active != "inactive" && state.active != "failed" && state.active != "maintenance";
}

/// What would start `name` at boot or later: its links, and units that start it when something happens.
Result<std::vector<std::string>> reached_by(Facts& facts, const Units& units, const std::string& name)
{
    auto links = units.pulled_by(name);
    TRY_ASSIGN(const auto activators, units.activated_by(facts, name));
    links.insert(links.end(), activators.begin(), activators.end());
    return links;
}

/// Running or not adds to `out`. An image says nothing here.
Status judge_running_off(Facts& facts, const std::string& name, Outcome& out)
{
    if (!facts.host().is_running()) {
        return success();
    }
    const auto& running = facts.get<RunningUnits>();
    if (!running) {
        return running.error();
    }
    const auto state = running->find(name);
    const bool is_on = state && is_active(*state);
    if (is_on) {
        out.verdict = Verdict::Fail;
    }
    out.add({name + " does not run", state ? state->active : "not loaded", "systemctl"});
    return success();
}

Result<Outcome> judge_off(Facts& facts, const Units& units, const std::string& name)
{
    TRY_ASSIGN(const UnitState state, units.state(facts, name));
    Outcome out;
    out.verdict = Verdict::Pass;
    const std::string expected = name + " is not started";
    const bool is_masked = state == UnitState::Masked;
    if (state == UnitState::Absent || is_masked) {
        out.add({expected, std::string(name_of(state)), where_of(units, name)});
    } else {
        TRY_ASSIGN(const auto reached, reached_by(facts, units, name));
        for (const auto& link : reached) {
            out.verdict = Verdict::Fail;
            out.add({expected, std::string(name_of(state)) + ", started by " + link, where_of(units, name)});
        }
        if (reached.empty()) {
            const bool is_on = state == UnitState::Enabled || state == UnitState::EnabledRuntime ||
                               state == UnitState::Generated || state == UnitState::Transient;
            out.verdict = is_on ? Verdict::Fail : Verdict::Pass;
            out.add({expected, std::string(name_of(state)), where_of(units, name)});
        }
    }
    // A failure that is written down does not wait for what runs.
    // And what has no file could run only from before it was removed.
    const auto told = judge_running_off(facts, name, out);
    if (!told && out.verdict == Verdict::Pass && state != UnitState::Absent) {
        return told.error();
    }
    return out;
}

Result<Outcome> evaluate_off(const Arguments& arguments, Facts& facts)
{
    const auto& units = facts.get<Units>();
    if (!units) {
        return units.error();
    }
    std::vector<Outcome> parts;
    for (const auto& name : arguments.list("unit")) {
        auto part = judge_off(facts, *units, name);
        parts.push_back(part ? part.take() : Outcome::cannot_tell(part.error().text));
    }
    return all_of(parts);
}

Result<Outcome> judge_on(Facts& facts, const Units& units, const std::string& name, bool must_run)
{
    TRY_ASSIGN(const UnitState state, units.state(facts, name));
    Outcome out;
    // A state until the next boot is not enough; a link of the distribution is.
    const bool is_there = state != UnitState::Absent && state != UnitState::Masked && state != UnitState::MaskedRuntime;
    bool is_started = is_there && state == UnitState::Enabled;
    if (is_there && !is_started) {
        TRY_ASSIGN(auto reached, reached_by(facts, units, name));
        std::erase_if(reached, [](const std::string& link) { return link.starts_with("/run/"); });
        is_started = !reached.empty();
    }
    out.verdict = is_started ? Verdict::Pass : Verdict::Fail;
    out.add({name + " starts at boot", std::string(name_of(state)), where_of(units, name)});
    if (!must_run || !facts.host().is_running() || !is_there) {
        return out;
    }
    const auto& running = facts.get<RunningUnits>();
    if (!running) {
        return is_started ? Result<Outcome>(running.error()) : Result<Outcome>(out);
    }
    const auto now = running->find(name);
    if (!now || !is_active(*now)) {
        out.verdict = Verdict::Fail;
    }
    out.add({name + " runs", now ? now->active : "not loaded", "systemctl"});
    return out;
}

Result<Outcome> evaluate_on(const Arguments& arguments, Facts& facts)
{
    const auto& units = facts.get<Units>();
    if (!units) {
        return units.error();
    }
    std::vector<Outcome> parts;
    for (const auto& name : arguments.list("unit")) {
        auto part = judge_on(facts, *units, name, arguments.flag_or("running", true));
        parts.push_back(part ? part.take() : Outcome::cannot_tell(part.error().text));
    }
    return any_of(parts);
}

} // namespace

const Primitive kUnitOffPrimitive{
    "unit-off", "The units neither run nor are started by a link, a socket, a timer or a path; absent ones are off.",
    kOffArguments, evaluate_off};
const Primitive kUnitOnPrimitive{"unit-on", "One of the units is started at every boot, and runs.", kOnArguments,
                                 evaluate_on};

} // namespace hostward::hardening
