// SPDX-License-Identifier: Apache-2.0
// Client of the instance metadata service, version 2 only: without a token nothing is asked, ever.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
#pragma once

#include "agent/report/http.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace hostward::report {

inline constexpr int kTokenTtlS = 60;                                      ///< of the one token of a run
inline constexpr std::size_t kImdsAnswerBytesMax = std::size_t{64} * 1024; ///< user data is at most 16 KiB

struct ImdsOptions {
    bool disabled = false;                           ///< AWS_EC2_METADATA_DISABLED: nothing is sent
    std::string endpoint = "http://169.254.169.254"; ///< no slash at the end
};

/// From AWS_EC2_METADATA_DISABLED, AWS_EC2_METADATA_SERVICE_ENDPOINT and AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE as the
/// SDKs read them; `variable` gives a variable's value or "". Invalid: a value that is no URL or no mode.
[[nodiscard]] Result<ImdsOptions> imds_options(const std::function<std::string(const char*)>& variable);

class Imds {
public:
    virtual ~Imds() = default;

    /// The item's bytes as they came, `path` without the version, such as `meta-data/instance-id`. NotFound: 404.
    /// Denied: 401 (after one new token), 403. System: nobody there, no answer (the hop limit), no HTTP. Exhausted:
    /// throttled (503) after the retries. Unsupported: disabled, or without version 2.
    [[nodiscard]] virtual Result<std::string> get(const std::string& path) = 0;

    /// Its clock at its last answer, seconds since 1970; nothing before one, or without a Date. A host's own clock may
    /// be wrong until it has reached a time server.
    [[nodiscard]] virtual std::optional<std::int64_t> last_date_s() const { return std::nullopt; }
};

/// Connects on first use; one connection and one token for all, at most kImdsRequestsPerS requests a second.
inline constexpr int kImdsRequestsPerS = 5;
[[nodiscard]] Result<std::unique_ptr<Imds>> open_imds(const ImdsOptions& options);

} // namespace hostward::report
