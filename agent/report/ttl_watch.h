// SPDX-License-Identifier: Apache-2.0
// The TTL of a TCP peer's answer, from its packets. For who may open a packet socket; imds_probe.cpp has another way.
#pragma once

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hostward::report {

struct TcpPeer {
    std::string address; ///< 4 or 16 bytes in network order
    std::uint16_t port = 0;
};

class TtlWatch {
public:
    /// From now on the peer's packets are kept. Denied: without CAP_NET_RAW.
    [[nodiscard]] static Result<TtlWatch> open(const TcpPeer& peer);

    /// TTL or hop limit of the first packet to `local_port` whose data begins with `begin`. System: none came in time.
    [[nodiscard]] Result<int> ttl_of(const std::string& begin, std::uint16_t local_port,
                                     std::chrono::steady_clock::time_point until);

private:
    TtlWatch(TcpPeer peer, UniqueFd socket) : peer_(std::move(peer)), socket_(std::move(socket)) {}

    TcpPeer peer_;
    UniqueFd socket_;
};

/// What one IP packet says, beginning at its header.
struct TcpPacket {
    std::string source; ///< 4 or 16 bytes
    std::uint16_t source_port = 0;
    std::uint16_t target_port = 0;
    int ttl = 0;
    std::string_view data; ///< points into the packet
};

/// Nothing for anything but a whole TCP packet, fragments and IPv6 extension headers included.
[[nodiscard]] std::optional<TcpPacket> parse_tcp_packet(std::string_view packet);

} // namespace hostward::report
