// SPDX-License-Identifier: Apache-2.0
// What the simulator can do wrong on purpose, and the instance options that can change while it runs.
#pragma once

#include "agent/base/result.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hostward::imds_sim {

constexpr int kMaxSlowMs = 600000;
constexpr int kMaxThrottlePerSecond = 100000;

enum class FaultKind {
    None,
    Garbage, ///< bytes that are no HTTP, then close
    Reset,   ///< RST instead of an answer
    Hang,    ///< no answer, connection kept open
};
enum class FaultScope { All, Token, Get };

struct Faults {
    FaultKind kind = FaultKind::None;
    FaultScope scope = FaultScope::All;
    int slow_ms = 0;             ///< before every answer
    int status = 0;              ///< answered instead of the real status; 0: none
    int throttle_per_second = 0; ///< more than so many requests get 503; 0: no limit
};

/// What ModifyInstanceMetadataOptions can change on a running instance, and the faults.
struct Settings {
    bool tokens_required = true;
    bool endpoint_enabled = true;
    int hop_limit = 1; ///< IP TTL of the answer to the token call
    Faults faults;
};

/// Changes one setting: `slow=MS`, `status=400..599`, `throttle=PER_SECOND`, `garbage`, `reset`, `hang`,
/// `on=all|token|get`, `http-tokens=required|optional`, `http-endpoint=enabled|disabled`, `hop-limit=1..64`.
[[nodiscard]] Status apply_setting(std::string_view setting, Settings& settings);

/// `base` with every line of a control file applied; empty lines and lines from '#' are skipped.
[[nodiscard]] Result<Settings> apply_settings(std::string_view lines, const Settings& base);

/// At most `per_second` requests a second, with a burst of the same size.
class Throttle {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    [[nodiscard]] bool allows(TimePoint now, int per_second);

private:
    std::optional<TimePoint> last_;
    double tokens_ = 0;
};

} // namespace hostward::imds_sim
