// SPDX-License-Identifier: Apache-2.0
// An events file that anything may have written, learned from: what comes out is a policy with just the rules that
// were meant, whatever the lines hold.
#include "agent/base/text.h"
#include "agent/cli/learn_view.h"
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

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const guard::Learned learned = learn(std::string(reinterpret_cast<const char*>(data), size));
    const auto parsed = config::parse(cli::learn_toml(learned), "learned.toml");
    FUZZ_CHECK(parsed.ok() && parsed->rules.size() == learned.rules.size());
    for (std::size_t i = 0; i < learned.rules.size(); ++i) {
        FUZZ_CHECK(parsed->rules[i].name == learned.rules[i].rule.name);
        FUZZ_CHECK(parsed->rules[i].units.size() == learned.rules[i].rule.units.size());
        FUZZ_CHECK(parsed->rules[i].exes.size() == learned.rules[i].rule.exes.size());
    }
    FUZZ_CHECK(std::ranges::count(cli::learn_json(learned), '\n') == 1);
    return 0;
}
