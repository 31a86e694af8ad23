// SPDX-License-Identifier: Apache-2.0
#include "agent/report/ttl_watch.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

namespace hostward::report {

namespace {

constexpr std::size_t kAddress4 = 4;
constexpr std::size_t kAddress6 = 16;
constexpr std::uint8_t kTcp = 6;
constexpr std::size_t kHeader6 = 40;
constexpr std::size_t kTcpHeaderMin = 20;
constexpr std::size_t kWordBytes = 4;

std::uint8_t byte_at(std::string_view bytes, std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); }

std::uint32_t word_at(std::string_view bytes, std::size_t at)
{
    std::uint32_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof(word));
    return ntohl(word);
}

std::uint16_t half_at(std::string_view bytes, std::size_t at)
{
    return static_cast<std::uint16_t>((byte_at(bytes, at) << 8U) | byte_at(bytes, at + 1));
}

/// Keeps what comes from the peer over TCP: a busy host's other packets would push it out.
Status attach_filter(int socket, const TcpPeer& peer)
{
    const bool is_ipv6 = peer.address.size() == kAddress6;
    const std::uint32_t protocol_at = is_ipv6 ? 6 : 9;
    const std::uint32_t address_at = is_ipv6 ? 20 : 12; // of IPv6 the last four bytes
    std::array<sock_filter, 6> code{{
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, protocol_at),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kTcp, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, address_at),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, word_at(peer.address, peer.address.size() - kWordBytes), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
        BPF_STMT(BPF_RET | BPF_K, 0),
    }};
    const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
    if (::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0) {
        return system_error(errno, "attaching a filter to a packet socket");
    }
    return success();
}

/// What follows the IP header, cut at the length that the header tells; nothing where it is no plain TCP.
std::optional<std::string_view> take_ip_header(std::string_view packet, TcpPacket& out)
{
    constexpr std::size_t kHeader4Min = 20;
    const unsigned version = packet.empty() ? 0 : byte_at(packet, 0) >> 4U;
    if (version == 4 && packet.size() >= kHeader4Min) {
        constexpr std::uint16_t kFragment = 0x3fff; // more of them, or not the first
        const std::size_t header = (byte_at(packet, 0) & 0xfU) * kWordBytes;
        const std::size_t total = half_at(packet, 2);
        if (header < kHeader4Min || total < header || total > packet.size() || byte_at(packet, 9) != kTcp ||
            (half_at(packet, 6) & kFragment) != 0) {
            return std::nullopt;
        }
        out.ttl = byte_at(packet, 8);
        out.source = packet.substr(12, kAddress4);
        return packet.substr(header, total - header);
    }
    if (version == 6 && packet.size() >= kHeader6) {
        const std::size_t payload = half_at(packet, 4);
        if (byte_at(packet, 6) != kTcp || payload > packet.size() - kHeader6) {
            return std::nullopt;
        }
        out.ttl = byte_at(packet, 7);
        out.source = packet.substr(8, kAddress6);
        return packet.substr(kHeader6, payload);
    }
    return std::nullopt;
}

} // namespace

std::optional<TcpPacket> parse_tcp_packet(std::string_view packet)
{
    TcpPacket out;
    const auto segment = take_ip_header(packet, out);
    if (!segment || segment->size() < kTcpHeaderMin) {
        return std::nullopt;
    }
    const std::size_t header = (byte_at(*segment, 12) >> 4U) * kWordBytes;
    if (header < kTcpHeaderMin || header > segment->size()) {
        return std::nullopt;
    }
    out.source_port = half_at(*segment, 0);
    out.target_port = half_at(*segment, 2);
    out.data = segment->substr(header);
    return out;
}

Result<TtlWatch> TtlWatch::open(const TcpPeer& peer)
{
    const auto protocol = static_cast<std::uint16_t>(peer.address.size() == kAddress6 ? ETH_P_IPV6 : ETH_P_IP);
    // Without a protocol nothing arrives before the filter is there.
    UniqueFd socket(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) {
        return system_error(errno, "opening a packet socket");
    }
    TRY(attach_filter(socket.get(), peer));
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(protocol);
    const auto* bound = reinterpret_cast<const sockaddr*>(&address); // NOLINT(*-reinterpret-cast): its API
    if (::bind(socket.get(), bound, sizeof(address)) != 0) {
        return system_error(errno, "watching packets");
    }
    return TtlWatch(peer, std::move(socket));
}

Result<int> TtlWatch::ttl_of(const std::string& begin, std::uint16_t local_port,
                             std::chrono::steady_clock::time_point until)
{
    std::array<char, 2048> buffer{};
    for (;;) {
        const auto got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (got >= 0) {
            const auto packet = parse_tcp_packet({buffer.data(), static_cast<std::size_t>(got)});
            if (packet && packet->source == peer_.address && packet->source_port == peer_.port &&
                packet->target_port == local_port && packet->data.starts_with(begin)) {
                return packet->ttl;
            }
            continue;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return system_error(errno, "reading packets");
        }
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
        pollfd waiting{socket_.get(), POLLIN, 0};
        if (left <= 0 || (::poll(&waiting, 1, static_cast<int>(left)) < 0 && errno != EINTR)) {
            return Error{ErrorKind::System, ETIMEDOUT, "no packet of the answer was seen"};
        }
    }
}

} // namespace hostward::report
