// SPDX-License-Identifier: Apache-2.0
#include "agent/base/text.h"
#include "agent/guard/decide.h"
#include "agent/guard/policy_tables.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace hostward::guard {

namespace {

/// An address that cannot be the one place a service is reached at: 0.0.0.0, ::, multicast, broadcast.
bool is_unguardable(const AddressBytes& bytes)
{
    in6_addr address = {};
    std::memcpy(&address, bytes.data(), bytes.size());
    if (!IN6_IS_ADDR_V4MAPPED(&address)) {
        return IN6_IS_ADDR_UNSPECIFIED(&address) || IN6_IS_ADDR_MULTICAST(&address);
    }
    const std::uint32_t v4 = ntohl(address.s6_addr32[3]);
    return v4 == INADDR_ANY || v4 == INADDR_BROADCAST || IN_MULTICAST(v4);
}

void compile_address(const config::At<std::string>& address, std::uint32_t endpoint, CompiledPolicy& out,
                     config::Complaints& errors)
{
    const auto bytes = parse_address(address.value);
    if (!bytes) {
        errors.add(address.place, "address " + quote(address.value) + " is neither an IPv4 nor an IPv6 address");
        return;
    }
    if (is_unguardable(*bytes)) {
        errors.add(address.place,
                   "address " + quote(address.value) + " cannot be guarded: allowed are unicast addresses");
        return;
    }
    const auto [fact, is_new] = out.facts.try_emplace(endpoint_key(bytes->data(), bytes->size()));
    if (!is_new) {
        errors.add(address.place, "address " + quote(address.value) + " is already an address of endpoint " +
                                      quote(out.endpoint_names[fact->second.endpoint]));
        return;
    }
    fact->second.endpoint = endpoint;
    std::uint32_t words[4];
    std::memcpy(words, bytes->data(), bytes->size());
    const std::uint32_t bit = hw_address_hash(words[0], words[1], words[2], words[3]);
    out.filter[bit / 64] |= std::uint64_t{1} << (bit % 64);
}

void compile_endpoint(const config::Endpoint& endpoint, CompiledPolicy& out, config::Complaints& errors)
{
    const auto index = static_cast<std::uint32_t>(out.endpoint_names.size());
    if (std::ranges::count(out.endpoint_names, endpoint.name) > 0) {
        errors.add(endpoint.place, "endpoint name " + quote(endpoint.name) + " is used twice");
    }
    if (endpoint.addresses.empty()) {
        errors.add(endpoint.place, "endpoint " + quote(endpoint.name) + " has no address");
    }
    out.endpoint_names.push_back(endpoint.name);
    out.head.endpoints[index].default_verdict = endpoint.default_action == config::Action::Allow ? HW_ALLOW : HW_DENY;
    out.head.endpoints[index].counter = HW_RULES_MAX + index;
    for (const auto& address : endpoint.addresses) {
        compile_address(address, index, out, errors);
    }
}

/// Enters the rule into the endpoints it names, all of them if it names none.
void apply_rule(const config::Rule& rule, std::size_t index, CompiledPolicy& out, config::Complaints& errors,
                config::Complaints& notes)
{
    std::array<bool, HW_ENDPOINTS_MAX> applies{};
    applies.fill(rule.endpoints.empty());
    for (const auto& name : rule.endpoints) {
        const auto found = std::ranges::find(out.endpoint_names, name.value);
        if (found == out.endpoint_names.end() && !rule.preset.empty()) {
            notes.add(name.place, "rule " + quote(rule.name) + " of preset " + quote(rule.preset) +
                                      " is not for this host: endpoint " + quote(name.value) + " is not defined");
            continue;
        }
        if (found == out.endpoint_names.end()) {
            errors.add(name.place, "rule " + quote(rule.name) + ": endpoint " + quote(name.value) +
                                       " is not defined: allowed are " + config::quoted_list(out.endpoint_names));
            continue;
        }
        applies[static_cast<std::size_t>(found - out.endpoint_names.begin())] = true;
    }
    for (auto& [key, fact] : out.facts) {
        if (key.kind == HW_FACT_ENDPOINT && applies[fact.endpoint]) {
            add_rule(fact.rules, index);
        }
    }
}

} // namespace

std::optional<AddressBytes> parse_address(const std::string& text)
{
    // inet_pton would stop at a NUL and accept what stands before it.
    if (text.find('\0') != std::string::npos) {
        return std::nullopt;
    }
    AddressBytes bytes{};
    if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) {
        return bytes;
    }
    if (::inet_pton(AF_INET, text.c_str(), bytes.data() + 12) == 1) {
        bytes[10] = bytes[11] = 0xff;
        return bytes;
    }
    return std::nullopt;
}

void compile_endpoints(const config::GuardConfig& config, CompiledPolicy& out, config::Complaints& errors,
                       config::Complaints& notes)
{
    std::size_t addresses = 0;
    for (const auto& endpoint : config.endpoints) {
        if (out.endpoint_names.size() == HW_ENDPOINTS_MAX) {
            errors.add(endpoint.place, "more endpoints than the " + std::to_string(HW_ENDPOINTS_MAX) + " allowed");
            break;
        }
        addresses += endpoint.addresses.size();
        if (addresses > HW_ADDRESSES_MAX) {
            errors.add(endpoint.place,
                       "more addresses than the " + std::to_string(HW_ADDRESSES_MAX) + " allowed over all endpoints");
            break;
        }
        compile_endpoint(endpoint, out, errors);
    }
    out.head.endpoint_count = static_cast<std::uint32_t>(out.endpoint_names.size());
    for (std::size_t i = 0; i < std::min<std::size_t>(config.rules.size(), HW_RULES_MAX); ++i) {
        apply_rule(config.rules[i], i, out, errors, notes);
    }
}

} // namespace hostward::guard
