// SPDX-License-Identifier: Apache-2.0
// Credentials of the instance, as the metadata service hands them out.
#pragma once

#include "agent/report/imds.h"
#include "agent/report/sigv4.h"

#include <cstdint>
#include <memory>

namespace hostward::report {

enum class Role {
    InstanceIdentity, ///< every instance has it, it may only ask sts:GetCallerIdentity
    InstanceProfile,  ///< what the fleet's owner attached; it may be none (NotFound)
};

struct Credentials {
    AwsKeys keys;
    std::int64_t expires_s = 0; ///< seconds since 1970
    bool is_expired = false;    ///< the service gave expired ones: they are used, and may still work
};

class CredentialSource {
public:
    virtual ~CredentialSource() = default;
    /// Kept ones while they last; asked anew kRefreshBeforeS before they expire. An answer whose Code is not Success is
    /// Denied with the code in its text.
    [[nodiscard]] virtual Result<Credentials> get(Role role, std::int64_t now_s) = 0;
};

inline constexpr std::int64_t kRefreshBeforeS = 600;
/// After the service gave expired credentials: how long it is left alone.
inline constexpr std::int64_t kStaleRetryS = 600;
/// After an answer that failed, while kept ones are used on: during an outage expired ones too, and they may still
/// work.
inline constexpr std::int64_t kFailureRetryS = 60;

/// `imds` outlives the source.
[[nodiscard]] std::unique_ptr<CredentialSource> credentials_from(Imds& imds);

} // namespace hostward::report
