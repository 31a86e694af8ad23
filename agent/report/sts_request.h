// SPDX-License-Identifier: Apache-2.0
// The signed request of a proof, judged before anything is sent: what is sent goes to a host of our own list, does
// nothing but ask who signed, and carries the proof's audience, nonce and hash under the signature.
#pragma once

#include "agent/report/proof.h"
#include "agent/report/refusal.h"

#include <chrono>

namespace hostward::report {

struct StsRules {
    std::int64_t now_s = 0;
    std::chrono::seconds max_age{300};
    std::string trusted_endpoint; ///< the operator's: the only URL then; empty: the hosts of sts_hosts.h
};

inline constexpr std::int64_t kFutureS = 60; ///< how far the signer's clock may be ahead of ours

struct StsRequest {
    HttpRequest request; ///< to be sent as it is
    std::string region;
    std::string partition; ///< empty with a trusted endpoint in a region that is not known
    std::int64_t signed_s = 0;
};

/// `parts` hold an sts request.
[[nodiscard]] Checked<StsRequest> check_sts_request(const ProofParts& parts, const StsRules& rules);

} // namespace hostward::report
