// SPDX-License-Identifier: Apache-2.0
// Three network namespaces, joined by veth pairs, that end with the process:
//
//   container 198.51.100.2 --- 198.51.100.1 client 192.0.2.1 --- 192.0.2.2 far end 169.254.169.254, fd00:ec2::254
//
// The client routes for the container. The far end answers over TCP and UDP on port 80 and counts what arrives.
#pragma once

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "tests/e2e/support/far_end.h"

#include <string>

namespace hostward::e2e {

inline constexpr auto kImds4 = "169.254.169.254";
inline constexpr auto kImds6 = "fd00:ec2::254";
inline constexpr auto kClient4 = "192.0.2.1";
inline constexpr auto kClientPrefix4 = "192.0.2."; ///< more addresses of the client: kClientSpare from kClientFirst
inline constexpr int kClientFirst = 20;
inline constexpr int kClientSpare = 8;
inline constexpr auto kClient6 = "2001:db8:1::1";
inline constexpr auto kNeighbour4 = "192.0.2.2"; ///< another address of the far end, not guarded
inline constexpr auto kNeighbour6 = "2001:db8:1::2";
inline constexpr auto kInterface = "hw0"; ///< the client's
inline constexpr auto kFarMac = "02:00:00:00:a9:fe";

class Network {
public:
    [[nodiscard]] static Result<Network> create();

    [[nodiscard]] int client() const { return client_.get(); }
    [[nodiscard]] int container() const { return container_.get(); }
    [[nodiscard]] int far() const { return far_.get(); }
    [[nodiscard]] FarEnd& imds() { return imds_; }

    /// The path under which another process of ours can open a namespace.
    [[nodiscard]] static std::string path_of(int network);

private:
    Network(UniqueFd client, UniqueFd container, UniqueFd far, FarEnd imds)
        : client_(std::move(client)), container_(std::move(container)), far_(std::move(far)), imds_(std::move(imds))
    {
    }
    UniqueFd client_;
    UniqueFd container_;
    UniqueFd far_;
    FarEnd imds_;
};

/// Runs `nft -f -` in a namespace.
[[nodiscard]] Status nft(int network, const std::string& rules);

} // namespace hostward::e2e
