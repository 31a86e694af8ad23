// SPDX-License-Identifier: Apache-2.0
// Policies made of the input's bytes: refused with lines, or compiled to tables that decide as the oracle does.
#include "agent/base/text.h"
#include "agent/guard/decide.h"
#include "agent/guard/policy.h"
#include "tests/bpf/oracle/oracle.h"
#include "tests/bpf/oracle/world.h"
#include "tests/fuzz/check.h"

#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cstdint>

namespace {

using namespace hostward;
using Input = FuzzedDataProvider;

constexpr std::size_t kTextMax = 140; ///< a little over HW_NAME_MAX

/// Words that mean something in some list; without them few inputs would get past the first check.
constexpr const char* kWords[] = {
    "imds",       "root",           "alice",           "adm",          "0",
    "1000",       "169.254.1.1",    "::ffff:10.0.0.1", "/opt/missing", "/usr/bin/program1",
    "a.service",  "docker-*.scope", "/system.slice",   "/a.slice/*",   "/system.slice/a*",
    "user.slice", "*.service",      "/x/y/z",          "nobody-yet",   "other"};

std::string random_text(Input& input)
{
    return input.ConsumeBool() ? input.PickValueInArray(kWords) : input.ConsumeRandomLengthString(kTextMax);
}

std::vector<config::At<std::string>> random_list(Input& input)
{
    std::vector<config::At<std::string>> out;
    for (int count = input.ConsumeIntegralInRange(0, 3); count > 0; --count) {
        out.push_back({random_text(input), {"fuzz.toml", 1, 1}});
    }
    return out;
}

config::Action random_action(Input& input)
{
    return input.ConsumeBool() ? config::Action::Allow : config::Action::Deny;
}

config::Rule random_rule(Input& input)
{
    config::Rule rule;
    rule.place = {"fuzz.toml", 1, 1};
    rule.name = random_text(input);
    rule.action = random_action(input);
    rule.users = random_list(input);
    rule.groups = random_list(input);
    rule.exes = random_list(input);
    rule.units = random_list(input);
    rule.cgroups = random_list(input);
    rule.scope = static_cast<config::Scope>(input.ConsumeIntegralInRange(0, 2));
    rule.endpoints = random_list(input);
    return rule;
}

config::GuardConfig random_config(Input& input)
{
    config::GuardConfig config;
    config.endpoints = config::default_endpoints();
    for (int count = input.ConsumeIntegralInRange(0, 2); count > 0; --count) {
        config::Endpoint endpoint;
        endpoint.name = random_text(input);
        endpoint.addresses = random_list(input);
        endpoint.default_action = random_action(input);
        endpoint.place = {"fuzz.toml", 1, 1};
        config.endpoints.push_back(endpoint);
    }
    for (int count = input.ConsumeIntegralInRange(0, 6); count > 0; --count) {
        config.rules.push_back(random_rule(input));
    }
    return config;
}

guard::Caller random_caller(Input& input)
{
    guard::Caller caller;
    caller.uid = input.ConsumeBool() ? 0 : input.ConsumeIntegral<std::uint32_t>();
    caller.euid = input.ConsumeBool() ? caller.uid : input.ConsumeIntegral<std::uint32_t>();
    caller.gid = input.ConsumeIntegral<std::uint32_t>();
    caller.container = input.ConsumeBool();
    for (int count = input.ConsumeIntegralInRange(0, 10); count > 0; --count) {
        const std::string name = random_text(input);
        for (const auto part : split(name, '/')) {
            caller.cgroup_path += part.empty() ? "" : "/" + std::string(part);
        }
    }
    return caller;
}

void compare(const config::GuardConfig& config, const guard::CompiledPolicy& policy, const test::World& world,
             const guard::Caller& caller)
{
    for (std::uint32_t i = 0; i < config.endpoints.size(); ++i) {
        for (const auto& text : config.endpoints[i].addresses) {
            const auto address = test::address_of(text.value);
            const auto expected = test::oracle_decide(config, world, caller, address);
            FUZZ_CHECK(guard::endpoint_of(policy, guard::endpoint_key(address.data(), address.size())) == i);
            const auto got = guard::decide(policy, caller, i);
            FUZZ_CHECK(expected.has_value());
            FUZZ_CHECK(got.verdict == expected->verdict && got.reason == expected->reason &&
                       got.rule == expected->rule);
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static test::World world = [] {
        test::Rng rng(1);
        return test::random_world(rng);
    }();
    Input input(data, size);
    const auto config = random_config(input);
    const auto policy = guard::compile(config, world);
    if (!policy) {
        for (const auto line : split(policy.error().text, '\n')) {
            FUZZ_CHECK(line.starts_with("fuzz.toml:") || line.starts_with("and "));
        }
        return 0;
    }
    for (int callers = 0; callers < 4; ++callers) {
        compare(config, *policy, world, random_caller(input));
    }
    return 0;
}
