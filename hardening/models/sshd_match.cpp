// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/sshd_match.h"

#include "agent/base/text.h"
#include "hardening/models/glob.h"
#include "hardening/models/lines.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::size_t kPatternMax = 1024; // sshd gives up on longer ones

struct Network {
    int family = AF_UNSPEC;
    std::array<std::uint8_t, 16> bytes{};
    unsigned prefix = 0;
};

std::optional<Network> parse_address(const std::string& text)
{
    Network out;
    for (const int family : {AF_INET, AF_INET6}) {
        if (::inet_pton(family, text.c_str(), out.bytes.data()) == 1) {
            out.family = family;
            out.prefix = family == AF_INET ? 32 : 128;
            return out;
        }
    }
    return std::nullopt;
}

bool bit(const Network& network, unsigned at) { return (network.bytes.at(at / 8) >> (7 - at % 8) & 1) != 0; }

enum class NetworkForm { Good, NotANetwork, Inconsistent };

NetworkForm parse_network(std::string_view text, Network& out)
{
    const auto slash = text.find('/');
    const auto address = parse_address(std::string(text.substr(0, slash)));
    std::optional<unsigned> prefix = address ? std::optional(address->prefix) : std::nullopt;
    if (address && slash != text.npos) {
        prefix = parse_number<unsigned>(text.substr(slash + 1));
    }
    if (!prefix) {
        return NetworkForm::NotANetwork;
    }
    if (*prefix > address->prefix) {
        return NetworkForm::Inconsistent;
    }
    out = *address;
    for (unsigned at = *prefix; at < address->prefix; ++at) {
        if (bit(out, at)) {
            return NetworkForm::Inconsistent;
        }
    }
    out.prefix = *prefix;
    return NetworkForm::Good;
}

bool is_in(const Network& address, const Network& network)
{
    if (address.family != network.family) {
        return false;
    }
    for (unsigned at = 0; at < network.prefix; ++at) {
        if (bit(address, at) != bit(network, at)) {
            return false;
        }
    }
    return true;
}

/// A negated group that matches decides, whatever the others say.
bool match_groups(const std::vector<std::string>& groups, const std::string& patterns)
{
    bool is_found = false;
    for (const auto& group : groups) {
        const int match = match_pattern_list(group, patterns);
        if (match < 0) {
            return false;
        }
        is_found = is_found || match > 0;
    }
    return is_found;
}

SshdMatch yes_if(bool is_match) { return is_match ? SshdMatch::Yes : SshdMatch::No; }

SshdMatch match_address(const std::string& argument, const std::string* address)
{
    if (match_address_list("", argument) == -2) {
        return SshdMatch::Refused;
    }
    return yes_if(address != nullptr && match_address_list(*address, argument) == 1);
}

SshdMatch match_one(const std::string& name, const std::string& argument, const SshdConnection* connection)
{
    if (name == "user") { // of a connection without a user not even `*` is true
        return yes_if(connection != nullptr && !connection->user.empty() &&
                      match_pattern_list(connection->user, argument) == 1);
    }
    if (name == "group") {
        return yes_if(connection != nullptr && match_groups(connection->groups, argument));
    }
    if (name == "host") {
        return yes_if(connection != nullptr && !connection->host.empty() &&
                      match_pattern_list(lower(connection->host), argument, true) == 1);
    }
    if (name == "address") {
        return match_address(argument, connection == nullptr ? nullptr : &connection->address);
    }
    if (name == "localaddress") {
        return match_address(argument, connection == nullptr ? nullptr : &connection->local_address);
    }
    if (name == "localport") {
        const auto port = parse_number<std::uint16_t>(argument);
        return !port ? SshdMatch::Refused : yes_if(connection != nullptr && *port == connection->local_port);
    }
    return name == "rdomain" ? SshdMatch::No : SshdMatch::Refused; // Linux has no routing domains
}

} // namespace

int match_pattern_list(std::string_view text, std::string_view patterns, bool is_lower)
{
    int found = 0;
    for (auto pattern : split(patterns, ',')) {
        const bool is_negated = pattern.starts_with('!');
        pattern.remove_prefix(is_negated ? 1 : 0);
        if (pattern.size() >= kPatternMax) {
            return 0;
        }
        if (matches_wildcards(is_lower ? lower(pattern) : std::string(pattern), text)) {
            if (is_negated) {
                return -1;
            }
            found = 1;
        }
    }
    return found;
}

int match_address_list(const std::string& address, std::string_view list)
{
    const auto given = parse_address(address);
    int found = 0;
    for (auto entry : split(list, ',')) {
        const bool is_negated = entry.starts_with('!');
        entry.remove_prefix(is_negated ? 1 : 0);
        Network network;
        const auto form = parse_network(entry, network);
        if (form == NetworkForm::Inconsistent) {
            return -2;
        }
        const bool is_match = form == NetworkForm::Good ? given && is_in(*given, network)
                                                        : !address.empty() && matches_wildcards(entry, address);
        if (is_match && is_negated) {
            return -1;
        }
        found = is_match ? 1 : found;
    }
    return found;
}

SshdMatch match_sshd(const std::vector<std::string>& criteria, const SshdConnection* connection)
{
    if (criteria.empty()) {
        return SshdMatch::Refused;
    }
    if (lower(criteria[0]) == "all") {
        return criteria.size() == 1 ? SshdMatch::Yes : SshdMatch::Refused;
    }
    SshdMatch all = SshdMatch::Yes;
    for (std::size_t i = 0; i < criteria.size(); i += 2) {
        if (i + 1 == criteria.size() || criteria[i + 1].empty()) {
            return SshdMatch::Refused;
        }
        const SshdMatch one = match_one(lower(criteria[i]), criteria[i + 1], connection);
        if (one == SshdMatch::Refused) {
            return one;
        }
        all = one == SshdMatch::No ? one : all;
    }
    return all;
}

} // namespace hostward::hardening
