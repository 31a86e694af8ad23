// SPDX-License-Identifier: Apache-2.0
// A small world for compile(), and helpers that every policy test uses.
#pragma once

#include "agent/config/guard_config.h"
#include "agent/guard/decide.h"
#include "agent/guard/policy.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hostward::guard {

class FakeResolver : public Resolver {
public:
    std::map<std::string, std::uint32_t> users{{"root", 0}, {"alice", 1000}, {"bob", 1001}};
    std::map<std::string, std::uint32_t> groups{{"root", 0}, {"adm", 4}};
    std::map<std::string, ExeInfo> exes;
    int asked = 0;

    std::optional<std::uint32_t> user(const std::string& name) override { return find(users, name); }
    std::optional<std::uint32_t> group(const std::string& name) override { return find(groups, name); }
    Result<ExeInfo> exe(const std::string& path) override
    {
        if (path == "/broken") {
            return Error{ErrorKind::System, EIO, "reading it: Input/output error"};
        }
        return find(exes, path).value_or(ExeInfo{});
    }

private:
    template <typename Value>
    std::optional<Value> find(const std::map<std::string, Value>& map, const std::string& name)
    {
        ++asked;
        const auto found = map.find(name);
        return found == map.end() ? std::nullopt : std::optional<Value>(found->second);
    }
};

inline ExeInfo file(std::uint64_t inode, std::uint32_t device = 8, std::uint32_t generation = 1)
{
    return {ExeFact{inode, device, generation}, "", false};
}

inline config::At<std::string> at(std::string text, std::uint32_t line = 1)
{
    return {std::move(text), {"p.toml", line, 1}};
}

inline std::vector<config::At<std::string>> list(const std::vector<std::string>& texts)
{
    std::vector<config::At<std::string>> out;
    for (const auto& text : texts) {
        out.push_back(at(text));
    }
    return out;
}

/// A rule that allows user 0 on the host, to be changed by the test.
inline config::Rule rule(const std::string& name)
{
    config::Rule out;
    out.name = name;
    out.action = config::Action::Allow;
    out.users = list({"0"});
    out.place = {"p.toml", 1, 1};
    return out;
}

inline config::GuardConfig policy_of(std::vector<config::Rule> rules)
{
    config::GuardConfig config;
    config.endpoints = config::default_endpoints();
    config.rules = std::move(rules);
    return config;
}

/// The compiled policy; an error fails the test.
inline CompiledPolicy must_compile(const config::GuardConfig& config, Resolver& resolver)
{
    auto compiled = compile(config, resolver);
    EXPECT_TRUE(compiled.ok()) << (compiled.ok() ? "" : compiled.error().text);
    return compiled.ok() ? compiled.take() : CompiledPolicy{};
}

inline std::string error_of(const config::GuardConfig& config)
{
    FakeResolver resolver;
    const auto compiled = compile(config, resolver);
    return compiled.ok() ? "" : compiled.error().text;
}

} // namespace hostward::guard
