// SPDX-License-Identifier: Apache-2.0
// An events file that anything may have written, learned from: what comes out is a policy with just the rules that
// were meant, whatever the lines hold. Simulated: every decision is counted once, and no text leaves its line.
#include "agent/base/text.h"
#include "agent/cli/learn_view.h"
#include "agent/cli/simulate_view.h"
#include "tests/fuzz/check.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>

namespace {

using namespace hostward;

/// Every path is a file of root's, so that all of them get as far as they can.
class EverythingExists : public guard::Resolver {
public:
    std::optional<std::uint32_t> user(const std::string& name) override { return name == "root" ? 0U : 1000U; }
    std::optional<std::uint32_t> group(const std::string& /*name*/) override { return std::nullopt; }
    Result<guard::ExeInfo> exe(const std::string& path) override
    {
        return guard::ExeInfo{guard::ExeFact{std::hash<std::string>{}(path), 1, 1}, "", false};
    }
};

guard::Learned learn(const std::string& lines)
{
    EverythingExists world;
    config::GuardConfig present;
    present.endpoints = config::default_endpoints();
    auto learner = guard::Learner::create(present, world, [](std::uint32_t) { return std::vector<std::uint32_t>{}; });
    FUZZ_CHECK(learner.ok());
    for (const auto line : split(lines, '\n')) {
        if (const auto event = guard::parse_event(line)) {
            learner->add(*event);
        }
    }
    auto learned = learner->finish();
    FUZZ_CHECK(learned.ok());
    return learned.take();
}

void simulate(const config::GuardConfig& config, const std::string& lines)
{
    EverythingExists world;
    auto policy = guard::compile(config, world);
    FUZZ_CHECK(policy.ok());
    guard::Simulator simulator(config, *policy, world, [](std::uint32_t) { return std::vector<std::uint32_t>{}; });
    std::uint64_t events = 0;
    for (const auto line : split(lines, '\n')) {
        auto event = guard::parse_event(line);
        if (event) {
            event->count = 1; // so that sums do not saturate
            simulator.add(*event);
            ++events;
        }
    }
    const guard::Simulation done = simulator.finish();
    std::uint64_t sum = 0;
    for (const auto* tally :
         {&done.stays_allowed, &done.stays_denied, &done.refused, &done.allowed, &done.cannot_tell}) {
        sum += tally->decisions + tally->requests;
    }
    FUZZ_CHECK(sum == events && done.all.decisions + done.all.requests == events);
    const cli::PolicyFile file{config, policy.take()};
    FUZZ_CHECK(std::ranges::count(cli::simulation_json(done, "p", file), '\n') == 1);
    FUZZ_CHECK(std::ranges::count(cli::simulation_text(done, "p", file), '\x1b') == 0);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string lines(reinterpret_cast<const char*>(data), size);
    const guard::Learned learned = learn(lines);
    const auto parsed = config::parse(cli::learn_toml(learned), "learned.toml");
    FUZZ_CHECK(parsed.ok() && parsed->rules.size() == learned.rules.size());
    for (std::size_t i = 0; i < learned.rules.size(); ++i) {
        FUZZ_CHECK(parsed->rules[i].name == learned.rules[i].rule.name);
        FUZZ_CHECK(parsed->rules[i].units.size() == learned.rules[i].rule.units.size());
        FUZZ_CHECK(parsed->rules[i].exes.size() == learned.rules[i].rule.exes.size());
    }
    FUZZ_CHECK(std::ranges::count(cli::learn_json(learned), '\n') == 1);
    simulate(*parsed, lines);
    return 0;
}
