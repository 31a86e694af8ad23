// SPDX-License-Identifier: Apache-2.0
// Packets made by hand, for the attacks that go around sockets.
#pragma once

#include "attack.h"

#include <array>
#include <optional>
#include <span>
#include <vector>

namespace attack {

using Bytes = std::vector<unsigned char>;
using Mac = std::array<unsigned char, 6>;

struct PacketPlan {
    Target source;
    Target destination;
    std::uint16_t source_port = 0;
    std::string_view payload;            ///< UDP only
    std::optional<Target> route_through; ///< the packet goes there; a source route leads on
};

/// A whole IP packet, checksums included, to port 80 of the destination.
[[nodiscard]] Bytes udp_packet(const PacketPlan& plan);
[[nodiscard]] Bytes syn_packet(const PacketPlan& plan);

/// Ethernet header and packet. The type follows from the packet's version.
[[nodiscard]] Bytes ethernet_frame(const Mac& destination, const Bytes& packet);

/// `02:00:00:00:00:01` as bytes, or exit kUsage.
[[nodiscard]] Mac require_mac(const char* text);

/// An ordinary UDP socket that receives what answers a handmade packet. It never sends.
struct Listener {
    int fd = -1;
    Target address;
    std::uint16_t port = 0;
};
[[nodiscard]] Listener listen_for_answer(const Target& source, const Stopwatch& watch);

/// Waits for the answer, then exits with the outcome.
[[noreturn]] void await_answer(const Listener& listener, std::string_view how, const Stopwatch& watch);

/// Waits on a raw or packet socket for SYN+ACK from port 80 to `port`, then exits with the outcome.
/// `skip`: bytes before the IP header.
[[noreturn]] void await_syn_ack(int fd, std::uint16_t port, std::size_t skip, std::string_view how,
                                const Stopwatch& watch);

} // namespace attack
