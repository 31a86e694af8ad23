// SPDX-License-Identifier: Apache-2.0
// The meaning of a policy by plain loops over what is written: no tables, no bit sets, nothing shared with the
// compiler or with the kernel side. Slow on purpose.
#pragma once

#include "agent/config/guard_config.h"
#include "agent/guard/decide.h"
#include "tests/bpf/oracle/world.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace hostward::test {

/// An address as 16 bytes in network order, IPv4 as ::ffff:a.b.c.d.
using Address = std::array<unsigned char, 16>;
[[nodiscard]] Address address_of(const std::string& text);

/// Index of the endpoint with this address, if any.
[[nodiscard]] std::optional<std::uint32_t> oracle_endpoint(const config::GuardConfig& config, const Address& address);

/// The decision; nothing if the address is not guarded.
[[nodiscard]] std::optional<guard::Decision> oracle_decide(const config::GuardConfig& config, const World& world,
                                                           const guard::Caller& caller, const Address& address);

/// The first condition of the rule that fails, in the order of guard::trace(), or "" if the rule matches.
[[nodiscard]] std::string oracle_failed(const config::GuardConfig& config, const World& world, const config::Rule& rule,
                                        const guard::Caller& caller, std::uint32_t endpoint);

/// `*` is any run of bytes, everything else itself.
[[nodiscard]] bool oracle_glob(std::string_view pattern, std::string_view text);

} // namespace hostward::test
