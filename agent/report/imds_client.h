// SPDX-License-Identifier: Apache-2.0
// The client of open_imds() over any transport and clock.
#pragma once

#include "agent/report/imds.h"

#include <chrono>
#include <deque>
#include <optional>

namespace hostward::report {

using SteadyTime = std::chrono::steady_clock::time_point;

/// Time and chance; all three must be there.
struct ImdsClock {
    std::function<SteadyTime()> now;
    std::function<void(std::chrono::milliseconds)> sleep;
    std::function<double()> random; ///< in [0, 1), for jitter
};

inline constexpr int kImdsAttempts = 4; ///< of one request that is throttled or breaks off
inline constexpr std::chrono::milliseconds kImdsBackoff{500};
inline constexpr std::chrono::milliseconds kImdsBackoffMax{4000};
/// A service that was not there is not asked again for so long: a report asks many items.
inline constexpr std::chrono::milliseconds kImdsAbsentFor{10000};

class ImdsClient final : public Imds {
public:
    ImdsClient(ImdsOptions options, std::unique_ptr<Http> http, ImdsClock clock)
        : options_(std::move(options)), http_(std::move(http)), clock_(std::move(clock))
    {
    }

    [[nodiscard]] Result<std::string> get(const std::string& path) override;
    [[nodiscard]] std::optional<std::int64_t> last_date_s() const override { return last_date_s_; }

private:
    [[nodiscard]] Status take_token();
    [[nodiscard]] Result<HttpResponse> ask(const HttpRequest& request, const std::string& what);
    [[nodiscard]] HttpResult send_paced(const HttpRequest& request);
    [[nodiscard]] Result<HttpResponse> ask_item(const std::string& path);

    ImdsOptions options_;
    std::unique_ptr<Http> http_;
    ImdsClock clock_;
    std::string token_; ///< a secret
    SteadyTime token_until_;
    std::deque<SteadyTime> sent_; ///< the last kImdsRequestsPerS ones
    std::optional<std::int64_t> last_date_s_;
    std::optional<Error> absent_;
    SteadyTime absent_until_;
};

} // namespace hostward::report
