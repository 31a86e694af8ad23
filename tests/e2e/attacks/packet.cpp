// SPDX-License-Identifier: Apache-2.0
#include "packet.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace attack {

namespace {

constexpr std::uint8_t kTimeToLive = 64;
constexpr std::uint8_t kSegmentRouting = 4;
constexpr std::uint32_t kSequence = 0x12345678;

/// The address bytes of a target: 4 or 16.
Bytes address_bytes(const Target& target)
{
    if (target.family() == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &target.address, sizeof(v4));
        Bytes bytes(4);
        std::memcpy(bytes.data(), &v4.sin_addr, 4);
        return bytes;
    }
    sockaddr_in6 v6{};
    std::memcpy(&v6, &target.address, sizeof(v6));
    Bytes bytes(16);
    std::memcpy(bytes.data(), &v6.sin6_addr, 16);
    return bytes;
}

// Not vector::insert: g++ 12 sees an overflow in it that is none (-Wstringop-overflow).
void append_raw(Bytes& out, const void* data, std::size_t size)
{
    const std::size_t at = out.size();
    out.resize(at + size);
    std::memcpy(out.data() + at, data, size);
}

template <typename T> void append(Bytes& out, const T& value) { append_raw(out, &value, sizeof(T)); }

void append(Bytes& out, const Bytes& more) { append_raw(out, more.data(), more.size()); }

/// RFC 1071, in network order, ready to be stored.
std::uint16_t checksum(std::span<const unsigned char> bytes)
{
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
        const std::uint32_t low = i + 1 < bytes.size() ? bytes[i + 1] : 0U;
        sum += (std::uint32_t{bytes[i]} << 8) | low;
    }
    while ((sum >> 16) != 0) {
        sum = (sum & 0xffffU) + (sum >> 16);
    }
    return htons(static_cast<std::uint16_t>(~sum & 0xffffU));
}

/// Checksum of a transport segment with its pseudo header (RFC 793, RFC 8200 section 8.1).
std::uint16_t segment_checksum(const PacketPlan& plan, std::uint8_t protocol, const Bytes& segment)
{
    Bytes pseudo = address_bytes(plan.source);
    append(pseudo, address_bytes(plan.destination));
    append(pseudo, htonl(static_cast<std::uint32_t>(segment.size())));
    append(pseudo, htonl(std::uint32_t{protocol}));
    append(pseudo, segment);
    return checksum(pseudo);
}

Bytes v4_header(const PacketPlan& plan, std::uint8_t protocol, std::size_t segment_size)
{
    Bytes option;
    const Target& next = plan.route_through ? *plan.route_through : plan.destination;
    if (plan.route_through) {
        option = {IPOPT_LSRR, 7, 4};
        append(option, address_bytes(plan.destination));
        option.push_back(IPOPT_EOL);
    }
    iphdr header{};
    header.version = 4;
    header.ihl = static_cast<unsigned int>((sizeof(header) + option.size()) / 4) & 15U;
    header.tot_len = htons(static_cast<std::uint16_t>(sizeof(header) + option.size() + segment_size));
    header.ttl = kTimeToLive;
    header.protocol = protocol;
    std::memcpy(&header.saddr, address_bytes(plan.source).data(), 4);
    std::memcpy(&header.daddr, address_bytes(next).data(), 4);
    Bytes bytes;
    append(bytes, header);
    append(bytes, option);
    const std::uint16_t sum = checksum(bytes);
    std::memcpy(bytes.data() + offsetof(iphdr, check), &sum, sizeof(sum));
    return bytes;
}

/// A segment routing header (RFC 8754) with the destination and the node before it.
Bytes segment_route(const PacketPlan& plan, std::uint8_t protocol)
{
    constexpr std::uint8_t kSegments = 2;
    Bytes bytes{protocol, kSegments * 2, kSegmentRouting, 1, kSegments - 1, 0, 0, 0};
    append(bytes, address_bytes(plan.destination)); // the last segment stands first
    append(bytes, address_bytes(*plan.route_through));
    return bytes;
}

Bytes v6_header(const PacketPlan& plan, std::uint8_t protocol, std::size_t segment_size)
{
    const Bytes route = plan.route_through ? segment_route(plan, protocol) : Bytes();
    const Target& next = plan.route_through ? *plan.route_through : plan.destination;
    ip6_hdr header{};
    header.ip6_flow = htonl(6U << 28);
    header.ip6_plen = htons(static_cast<std::uint16_t>(route.size() + segment_size));
    header.ip6_nxt = route.empty() ? protocol : std::uint8_t{IPPROTO_ROUTING};
    header.ip6_hlim = kTimeToLive;
    std::memcpy(&header.ip6_src, address_bytes(plan.source).data(), 16);
    std::memcpy(&header.ip6_dst, address_bytes(next).data(), 16);
    Bytes bytes;
    append(bytes, header);
    append(bytes, route);
    return bytes;
}

Bytes with_ip_header(const PacketPlan& plan, std::uint8_t protocol, const Bytes& segment)
{
    Bytes packet = plan.destination.family() == AF_INET ? v4_header(plan, protocol, segment.size())
                                                        : v6_header(plan, protocol, segment.size());
    append(packet, segment);
    return packet;
}

/// Offset of the TCP header in an IP packet, or nothing.
std::optional<std::size_t> tcp_offset(std::span<const unsigned char> packet)
{
    if (packet.size() < sizeof(iphdr)) {
        return std::nullopt;
    }
    const unsigned int version = packet[0] >> 4;
    if (version == 4 && packet[9] == IPPROTO_TCP) {
        return std::size_t{packet[0] & 15U} * 4;
    }
    if (version == 6 && packet[6] == IPPROTO_TCP) {
        return sizeof(ip6_hdr);
    }
    return std::nullopt;
}

bool is_syn_ack(std::span<const unsigned char> packet, std::uint16_t port)
{
    const auto offset = tcp_offset(packet);
    if (!offset || packet.size() < *offset + sizeof(tcphdr)) {
        return false;
    }
    tcphdr header{};
    std::memcpy(&header, packet.data() + *offset, sizeof(header));
    return header.syn == 1 && header.ack == 1 && ntohs(header.source) == kPort && ntohs(header.dest) == port;
}

} // namespace

Bytes udp_packet(const PacketPlan& plan)
{
    udphdr header{};
    header.source = htons(plan.source_port);
    header.dest = htons(kPort);
    header.len = htons(static_cast<std::uint16_t>(sizeof(header) + plan.payload.size()));
    Bytes segment;
    append(segment, header);
    append_raw(segment, plan.payload.data(), plan.payload.size());
    const std::uint16_t sum = segment_checksum(plan, IPPROTO_UDP, segment);
    std::memcpy(segment.data() + offsetof(udphdr, check), &sum, sizeof(sum));
    return with_ip_header(plan, IPPROTO_UDP, segment);
}

Bytes syn_packet(const PacketPlan& plan)
{
    tcphdr header{};
    header.source = htons(plan.source_port);
    header.dest = htons(kPort);
    header.seq = htonl(kSequence);
    header.doff = sizeof(header) / 4;
    header.syn = 1;
    header.window = htons(0xffff);
    Bytes segment;
    append(segment, header);
    const std::uint16_t sum = segment_checksum(plan, IPPROTO_TCP, segment);
    std::memcpy(segment.data() + offsetof(tcphdr, check), &sum, sizeof(sum));
    return with_ip_header(plan, IPPROTO_TCP, segment);
}

Bytes ethernet_frame(const Mac& destination, const Bytes& packet)
{
    ether_header header{};
    std::memcpy(header.ether_dhost, destination.data(), destination.size());
    header.ether_shost[0] = 2; // locally administered; nobody checks it
    header.ether_type = htons((packet.at(0) >> 4) == 4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
    Bytes frame;
    append(frame, header);
    append(frame, packet);
    return frame;
}

Mac require_mac(const char* text)
{
    std::array<unsigned int, 6> parts{};
    if (std::sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &parts[0], &parts[1], &parts[2], &parts[3], &parts[4],
                    &parts[5]) != 6) {
        usage("MAC must be six hexadecimal bytes separated by colons");
    }
    Mac mac{};
    std::ranges::transform(parts, mac.begin(), [](unsigned int part) { return static_cast<unsigned char>(part); });
    return mac;
}

Listener listen_for_answer(const Target& source, const Stopwatch& watch)
{
    Listener listener;
    listener.fd = make_socket(source.family(), SOCK_DGRAM, 0, watch);
    listener.address = source;
    set_deadline(listener.fd);
    if (bind(listener.fd, source.raw(), source.size) != 0) {
        cannot_try("bind the listener", errno);
    }
    socklen_t size = sizeof(listener.address.address);
    if (getsockname(listener.fd, std::bit_cast<sockaddr*>(&listener.address.address), &size) != 0) {
        cannot_try("getsockname", errno);
    }
    // sin_port and sin6_port stand at the same place.
    sockaddr_in local{};
    std::memcpy(&local, &listener.address.address, sizeof(local));
    listener.port = ntohs(local.sin_port);
    return listener;
}

void await_answer(const Listener& listener, std::string_view how, const Stopwatch& watch)
{
    std::array<char, 2048> buffer{};
    const ssize_t size = recv(listener.fd, buffer.data(), buffer.size(), 0);
    if (size < 0) {
        refused("answer", errno, watch);
    }
    reached(how, std::string_view(buffer.data(), static_cast<std::size_t>(size)));
}

void await_syn_ack(int fd, std::uint16_t port, std::size_t skip, std::string_view how, const Stopwatch& watch)
{
    std::array<unsigned char, 4096> buffer{};
    while (watch.elapsed_us() < std::int64_t{kDeadlineMs} * 1000) {
        const ssize_t size = recv(fd, buffer.data(), buffer.size(), 0);
        if (size < 0) {
            refused("SYN+ACK", errno, watch);
        }
        const auto packet = std::span(buffer.data(), static_cast<std::size_t>(size));
        if (packet.size() > skip && is_syn_ack(packet.subspan(skip), port)) {
            reached(how, "SYN+ACK");
        }
    }
    refused("SYN+ACK", ETIMEDOUT, watch);
}

} // namespace attack
