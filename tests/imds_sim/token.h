// SPDX-License-Identifier: Apache-2.0
// Session tokens of the metadata service. They carry their own expiry and a keyed checksum of this simulator
// instance, so any number may be valid at once without state, and another instance's token is refused.
#pragma once

#include "agent/base/result.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace hostward::imds_sim {

constexpr int kMinTokenTtlSeconds = 1;
constexpr int kMaxTokenTtlSeconds = 21600;

enum class TokenState { Valid, Expired, Invalid };

class TokenIssuer {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    /// An issuer with a fresh random secret.
    [[nodiscard]] static Result<TokenIssuer> create();

    /// A new token of 56 characters, valid from `now` for `ttl`; two calls never give the same.
    [[nodiscard]] std::string issue(TimePoint now, std::chrono::seconds ttl);
    /// A token is valid before its expiry, expired at it and after.
    [[nodiscard]] TokenState check(std::string_view token, TimePoint now) const;

private:
    struct Secret {
        std::uint64_t first = 0;
        std::uint64_t second = 0;
    };
    explicit TokenIssuer(Secret secret) : secret_(secret) {}

    [[nodiscard]] std::uint64_t checksum(const std::uint8_t* bytes, std::size_t size) const;

    Secret secret_;
    std::uint32_t issued_ = 0;
};

} // namespace hostward::imds_sim
