// SPDX-License-Identifier: Apache-2.0
// How often and how long a sink tries. https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
#pragma once

#include "agent/report/http.h"
#include "agent/report/sink.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hostward::report {

inline constexpr int kAttemptsMax = 3; ///< of one request
inline constexpr std::chrono::seconds kSleepMax{20};

/// So far off a clock is wrong (AWS's own SDK for JavaScript); less is the network's time, and services bear it.
inline constexpr std::int64_t kClockSkewS = 240;

/// Full jitter: a random part of 2^attempt seconds, at most kSleepMax; not less than `response` asks for by
/// Retry-After. Nothing: it asks for more than kSleepMax. `attempt` counts from 0.
[[nodiscard]] std::optional<std::chrono::milliseconds>
sleep_before_retry(int attempt, double random, const HttpResponse* response, std::int64_t now_s);

/// Whether another try may help: no connection, no answer, a broken one; not a certificate that was refused.
[[nodiscard]] bool may_pass(HttpTrouble trouble);

/// Seconds since 1970 of `Sat, 21 Nov 2026 09:00:00 GMT`; nothing for any other form.
[[nodiscard]] std::optional<std::int64_t> parse_http_date(std::string_view text);

/// Text of a receiver for a message: one line, escaped, bounded.
[[nodiscard]] std::string shown(std::string_view text);

[[nodiscard]] inline DeliveryResult done() { return {}; }
[[nodiscard]] inline DeliveryResult later(std::string text) { return {Delivery::Later, std::move(text)}; }
[[nodiscard]] inline DeliveryResult refused(std::string text) { return {Delivery::Refused, std::move(text)}; }

} // namespace hostward::report
