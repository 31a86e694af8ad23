// SPDX-License-Identifier: Apache-2.0
// A token of AWS STS that names exactly this report: a receiver checks it with published keys, without asking AWS.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
#pragma once

#include "agent/report/proof.h"
#include "agent/report/sink.h"

#include <string>

namespace hostward::report {

/// What STS gives at most, in seconds: a report may be looked at later than it arrives.
inline constexpr int kTokenDurationS = 3600;

/// Asks with the instance profile's credentials: the instance identity role may not. `endpoint`: instead of that of
/// `region`; empty: none. Denied: the account has no outbound identity federation, or the role no permission.
[[nodiscard]] Result<std::string> fetch_web_identity(const ProofParts& parts, const std::string& region,
                                                     const std::string& endpoint, const SinkContext& context);

} // namespace hostward::report
