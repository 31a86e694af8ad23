// SPDX-License-Identifier: Apache-2.0
// How the metadata service is set, as seen from inside the instance: two exchanges on connections of their own, without
// any token of ours and without any library between us and the packets.
#pragma once

#include "agent/report/imds.h"

#include <string>

namespace hostward::report {

/// The largest HttpPutResponseHopLimit that EC2 takes; a TTL beyond it is given as this.
inline constexpr int kProbeHopLimitMax = 64;

/// HTTP status of a GET as IMDSv1 has it: 401 where tokens are required, 200 where they are not, 403 where the service
/// is turned off. Denied: the guard, or a firewall, refused the connection. System: nobody there, or no answer.
[[nodiscard]] Result<int> probe_without_token(const ImdsOptions& options);

/// IP TTL or IPv6 hop limit of the answer to `PUT /latest/api/token`, from 1 to kProbeHopLimitMax. From a container
/// the answer may not come at all: System then. Denied: also where the kernel lets only root filter its sockets.
[[nodiscard]] Result<int> probe_hop_limit(const ImdsOptions& options);

} // namespace hostward::report
