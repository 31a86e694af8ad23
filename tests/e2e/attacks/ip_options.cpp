// SPDX-License-Identifier: Apache-2.0
// ip_options tcp|udp|first-hop|raw NEIGHBOUR ADDRESS SOURCE: reaches ADDRESS by a loose source route (RFC 791).
//   tcp, udp   the socket's destination is ADDRESS, the packet's is NEIGHBOUR: the route option carries ADDRESS
//   first-hop  the socket's destination is NEIGHBOUR, the packet's is ADDRESS: a hook on connect never sees it
//   raw        a packet made by hand to NEIGHBOUR whose route option ends in ADDRESS (needs CAP_NET_RAW); for IPv6
//              addresses with a segment routing header (RFC 8754)
#include "attack.h"
#include "packet.h"

#include <netinet/ip.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace {

constexpr auto kUsageText = "ip_options tcp|udp|first-hop|raw NEIGHBOUR ADDRESS SOURCE";

/// The option as setsockopt(IP_OPTIONS) takes it: one hop, padded to a multiple of four.
std::array<unsigned char, 8> loose_route(const attack::Target& hop)
{
    sockaddr_in address{};
    std::memcpy(&address, &hop.address, sizeof(address));
    std::array<unsigned char, 8> option{IPOPT_LSRR, 7, 4, 0, 0, 0, 0, IPOPT_EOL};
    std::memcpy(option.data() + 3, &address.sin_addr, 4);
    return option;
}

void set_route(int fd, const attack::Target& hop)
{
    const auto option = loose_route(hop);
    if (setsockopt(fd, IPPROTO_IP, IP_OPTIONS, option.data(), option.size()) == 0) {
        return;
    }
    // Newer kernels want CAP_NET_RAW for it: that is the kernel's rule, with or without a guard.
    attack::cannot_try("setsockopt(IP_OPTIONS)", errno);
}

[[noreturn]] void by_socket(int type, const attack::Target& hop, const attack::Target& destination)
{
    const attack::Stopwatch watch;
    const int fd = attack::make_socket(AF_INET, type, 0, watch);
    attack::set_deadline(fd);
    set_route(fd, hop);
    if (connect(fd, destination.raw(), destination.size) != 0) {
        attack::refused("connect with a source route", errno, watch);
    }
    attack::exchange(fd, "source route", watch);
}

[[noreturn]] void by_raw_packet(const attack::Target& hop, const attack::Target& destination,
                                const attack::Target& source)
{
    const attack::Stopwatch watch;
    const int fd = attack::make_socket(hop.family(), SOCK_RAW, IPPROTO_RAW, watch);
    const attack::Listener listener = attack::listen_for_answer(source, watch);
    attack::PacketPlan plan;
    plan.source = listener.address;
    plan.destination = destination;
    plan.source_port = listener.port;
    plan.payload = attack::request();
    plan.route_through = hop;
    const auto packet = attack::udp_packet(plan);
    const attack::Target first = attack::without_port(hop); // raw IPv6 sockets want it so
    if (sendto(fd, packet.data(), packet.size(), 0, first.raw(), first.size) < 0) {
        attack::refused("sendto(source-routed packet)", errno, watch);
    }
    attack::await_answer(listener, "source-routed raw packet", watch);
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 5) {
        attack::usage(kUsageText);
    }
    const attack::Target hop = attack::require_target(argv[2]);
    const attack::Target destination = attack::require_target(argv[3]);
    const std::string_view way = argv[1];
    if (way == "tcp") {
        by_socket(SOCK_STREAM, hop, destination);
    } else if (way == "udp") {
        by_socket(SOCK_DGRAM, hop, destination);
    } else if (way == "first-hop") {
        by_socket(SOCK_DGRAM, destination, hop);
    } else if (way == "raw") {
        by_raw_packet(hop, destination, attack::require_target(argv[4], 0));
    }
    attack::usage(kUsageText);
}
