// SPDX-License-Identifier: Apache-2.0
// raw_ip udp|syn ADDRESS SOURCE: a handmade UDP datagram or TCP SYN on a raw socket (needs CAP_NET_RAW).
// raw_ip ping ADDRESS SOURCE: an ICMP echo, for which the service needs no open port.
// raw_ip ping-socket ADDRESS SOURCE: the same on the datagram socket that net.ipv4.ping_group_range grants to users.
#include "attack.h"
#include "packet.h"

#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace {

constexpr auto kUsageText = "raw_ip udp|syn|ping|ping-socket ADDRESS SOURCE";
constexpr std::uint16_t kSynPort = 40321;

int raw_socket(const attack::Target& target, const attack::Stopwatch& watch)
{
    const int fd = attack::make_socket(target.family(), SOCK_RAW, IPPROTO_RAW, watch);
    attack::set_deadline(fd);
    return fd;
}

/// Raw IPv6 sockets want port 0 in the address.
void send_packet(int fd, const attack::Bytes& packet, const char* address, const attack::Stopwatch& watch)
{
    const attack::Target target = attack::require_target(address, 0);
    if (sendto(fd, packet.data(), packet.size(), 0, target.raw(), target.size) < 0) {
        attack::refused("sendto(raw)", errno, watch);
    }
}

[[noreturn]] void by_udp(const char* address, const attack::Target& source)
{
    const attack::Stopwatch watch;
    attack::PacketPlan plan;
    plan.destination = attack::require_target(address);
    const int fd = raw_socket(plan.destination, watch);
    const attack::Listener listener = attack::listen_for_answer(source, watch);
    plan.source = listener.address;
    plan.source_port = listener.port;
    plan.payload = attack::request();
    send_packet(fd, attack::udp_packet(plan), address, watch);
    attack::await_answer(listener, "raw UDP", watch);
}

[[noreturn]] void by_syn(const char* address, const attack::Target& source)
{
    const attack::Stopwatch watch;
    attack::PacketPlan plan;
    plan.destination = attack::require_target(address);
    plan.source = source;
    plan.source_port = kSynPort;
    if (plan.destination.family() != AF_INET) {
        attack::usage("raw_ip syn takes IPv4 addresses: raw IPv6 sockets deliver no IP header");
    }
    const int fd = raw_socket(plan.destination, watch);
    const int listener = attack::make_socket(AF_INET, SOCK_RAW, IPPROTO_TCP, watch);
    attack::set_deadline(listener);
    send_packet(fd, attack::syn_packet(plan), address, watch);
    attack::await_syn_ack(listener, kSynPort, 0, "raw SYN", watch);
}

[[noreturn]] void by_ping(const char* address, int type)
{
    const attack::Stopwatch watch;
    const attack::Target target = attack::require_target(address, 0);
    const bool is_v4 = target.family() == AF_INET;
    const int fd = attack::make_socket(target.family(), type, is_v4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6}, watch);
    attack::set_deadline(fd);
    std::array<unsigned char, 8> echo{};
    echo[0] = is_v4 ? std::uint8_t{ICMP_ECHO} : std::uint8_t{ICMP6_ECHO_REQUEST};
    if (is_v4) {
        echo[2] =
            static_cast<unsigned char>(~unsigned{ICMP_ECHO}); // the checksum of type alone; IPv6's is the kernel's
        echo[3] = 0xff;
    }
    if (sendto(fd, echo.data(), echo.size(), 0, target.raw(), target.size) < 0) {
        attack::refused("sendto(ping)", errno, watch);
    }
    const std::size_t type_at = is_v4 && type == SOCK_RAW ? sizeof(iphdr) : 0;
    const unsigned char wanted = is_v4 ? std::uint8_t{ICMP_ECHOREPLY} : std::uint8_t{ICMP6_ECHO_REPLY};
    std::array<unsigned char, 2048> buffer{};
    while (watch.elapsed_us() < std::int64_t{attack::kDeadlineMs} * 1000) {
        const ssize_t size = recv(fd, buffer.data(), buffer.size(), 0);
        if (size < 0) {
            attack::refused("echo reply", errno, watch);
        }
        if (size > static_cast<ssize_t>(type_at) && buffer.at(type_at) == wanted) {
            attack::reached("ping", "echo reply");
        }
    }
    attack::refused("echo reply", ETIMEDOUT, watch);
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 4) {
        attack::usage(kUsageText);
    }
    const std::string_view way = argv[1];
    const attack::Target source = attack::require_target(argv[3], 0);
    if (way == "udp") {
        by_udp(argv[2], source);
    } else if (way == "syn") {
        by_syn(argv[2], source);
    } else if (way == "ping") {
        by_ping(argv[2], SOCK_RAW);
    } else if (way == "ping-socket") {
        by_ping(argv[2], SOCK_DGRAM);
    }
    attack::usage(kUsageText);
}
