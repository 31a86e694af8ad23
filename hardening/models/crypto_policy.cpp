// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/crypto_policy.h"

#include "hardening/models/conf_files.h"

namespace hostward::hardening {

namespace {

constexpr auto kConfig = "/etc/crypto-policies/config";
constexpr auto kCurrent = "/etc/crypto-policies/state/current";
constexpr auto kState = "/etc/crypto-policies/state/CURRENT.pol";

} // namespace

std::string parse_crypto_policy_name(std::string_view text)
{
    std::string name;
    for_each_line(text, [&](std::string_view line, std::uint32_t /*number*/) {
        const auto shown = trimmed(line.substr(0, line.find('#')));
        name = name.empty() ? std::string(shown) : name;
    });
    return name;
}

std::map<std::string, std::vector<std::string>> parse_crypto_policy_state(std::string_view text)
{
    std::map<std::string, std::vector<std::string>> allowed;
    for_each_line(text, [&](std::string_view line, std::uint32_t /*number*/) {
        line = line.substr(0, line.find('#'));
        const auto equals = line.find('=');
        if (equals == line.npos) {
            return;
        }
        auto& values = allowed[lower(trimmed(line.substr(0, equals)))];
        values.clear();
        for (const auto word : words(line.substr(equals + 1))) {
            values.emplace_back(word);
        }
    });
    return allowed;
}

const std::vector<std::string>* CryptoPolicy::values(std::string_view name, std::string_view scope) const
{
    std::vector<std::string> keys;
    if (!scope.empty()) {
        for (std::string at(scope); !at.empty(); at = at.substr(0, at.rfind('-') == at.npos ? 0 : at.rfind('-'))) {
            keys.push_back(std::string(name) + "@" + at);
        }
        if (scope.find("ssh") != scope.npos) {
            keys.push_back(std::string(name) + "@ssh");
        }
    }
    keys.emplace_back(name);
    for (const auto& key : keys) {
        const auto found = allowed.find(key);
        if (found != allowed.end()) {
            return &found->second;
        }
    }
    return nullptr;
}

Result<CryptoPolicy> CryptoPolicy::read(Facts& facts)
{
    const auto& host = facts.host();
    CryptoPolicy policy;
    policy.configured_where = Origin{kConfig, 0};
    TRY_ASSIGN(const auto config, conf_file(host, kConfig));
    for (const auto& file : config) {
        policy.is_there = true;
        policy.configured = parse_crypto_policy_name(file.text);
    }
    TRY_ASSIGN(const auto current, conf_file(host, kCurrent));
    for (const auto& file : current) {
        policy.current = parse_crypto_policy_name(file.text);
    }
    TRY_ASSIGN(const auto state, conf_file(host, kState));
    for (const auto& file : state) {
        policy.allowed = parse_crypto_policy_state(file.text);
        policy.allowed_file = file.path;
    }
    return policy;
}

} // namespace hostward::hardening
