// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/far_end_loop.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <optional>

namespace hostward::e2e {

namespace {

constexpr std::uint16_t kPort = 80;
constexpr int kBacklog = 4096;
constexpr int kPacketBufferBytes = 64 << 20; ///< a flood is counted, not lost
constexpr std::uint32_t kImdsV4 = 0xa9fea9fe;
constexpr std::array<unsigned char, 16> kImdsV6{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54};
constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\ninstance-id\n";

enum class Kind { Channel, Listener, Connection, Datagram, Packet };

/// An IPv4 packet whose destination or source route names the guarded address.
bool is_for_v4(std::string_view packet, std::size_t header_size)
{
    iphdr header{};
    std::memcpy(&header, packet.data(), sizeof(header));
    if (ntohl(header.daddr) == kImdsV4) {
        return true;
    }
    const std::uint32_t wanted = htonl(kImdsV4);
    const std::string_view needle(std::bit_cast<const char*>(&wanted), sizeof(wanted));
    return packet.substr(sizeof(header), header_size - sizeof(header)).find(needle) != std::string_view::npos;
}

struct Segment {
    int protocol = 0;
    std::string_view bytes; ///< from the transport header on
};

std::optional<Segment> guarded_segment(std::string_view packet)
{
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(packet[at]); };
    if (packet.size() < sizeof(iphdr)) {
        return std::nullopt;
    }
    if (byte(0) >> 4 == 4) {
        const std::size_t header_size = std::size_t{byte(0) & 15U} * 4;
        const std::size_t total = std::size_t{byte(2)} << 8 | byte(3);
        if (header_size < sizeof(iphdr) || total < header_size || packet.size() < total ||
            !is_for_v4(packet, header_size)) {
            return std::nullopt;
        }
        return Segment{byte(9), packet.substr(header_size, total - header_size)};
    }
    if (packet.size() < sizeof(ip6_hdr) || std::memcmp(packet.data() + 24, kImdsV6.data(), kImdsV6.size()) != 0) {
        return std::nullopt;
    }
    return Segment{byte(6), packet.substr(sizeof(ip6_hdr))};
}

/// Neighbour discovery is the link's business, not a way to the service.
bool is_neighbour_discovery(const Segment& segment)
{
    const auto type = segment.bytes.empty() ? 0 : static_cast<unsigned char>(segment.bytes[0]);
    return segment.protocol == IPPROTO_ICMPV6 && type >= ND_ROUTER_SOLICIT && type <= ND_REDIRECT;
}

bool is_bare_control(const Segment& segment)
{
    if (segment.protocol != IPPROTO_TCP || segment.bytes.size() < sizeof(tcphdr)) {
        return false;
    }
    tcphdr header{};
    std::memcpy(&header, segment.bytes.data(), sizeof(header));
    return header.syn == 0 && segment.bytes.size() <= std::size_t{header.doff} * 4;
}

/// Port 80 of a numeric address; returns the size used.
socklen_t fill_address(const char* text, sockaddr_storage& out)
{
    sockaddr_in v4{};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(kPort);
        std::memcpy(&out, &v4, sizeof(v4));
        return sizeof(v4);
    }
    sockaddr_in6 v6{};
    (void)inet_pton(AF_INET6, text, &v6.sin6_addr); // our own constants
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(kPort);
    std::memcpy(&out, &v6, sizeof(v6));
    return sizeof(v6);
}

class Loop {
public:
    Loop(int channel, FarEndCounters& counters) : channel_(channel), counters_(counters) {}

    [[nodiscard]] bool open_all()
    {
        poller_.reset(epoll_create1(EPOLL_CLOEXEC));
        add(channel_, Kind::Channel);
        // Datagrams are answered from the address they went to, which a socket on any address would not do.
        return open_packets() && open_port(SOCK_STREAM, "0.0.0.0") && open_port(SOCK_STREAM, "::") &&
               open_port(SOCK_DGRAM, "0.0.0.0") && open_port(SOCK_DGRAM, "169.254.169.254") &&
               open_port(SOCK_DGRAM, "fd00:ec2::254");
    }

    void run()
    {
        bool is_asked = false;
        for (;;) {
            std::array<epoll_event, 64> events{};
            // Asked to settle: answer when a look without waiting finds nothing more.
            const int count =
                epoll_wait(poller_.get(), events.data(), static_cast<int>(events.size()), is_asked ? 0 : -1);
            bool is_quiet = true;
            for (int i = 0; i < count; ++i) {
                const int fd = events.at(static_cast<std::size_t>(i)).data.fd;
                if (fd != channel_) {
                    serve(fd);
                    is_quiet = false;
                } else if (char byte = 0; recv(channel_, &byte, 1, MSG_DONTWAIT) == 1) {
                    is_asked = true;
                } else {
                    return;
                }
            }
            if (is_asked && is_quiet) {
                (void)send(channel_, "s", 1, MSG_NOSIGNAL);
                is_asked = false;
            }
        }
    }

private:
    void add(int fd, Kind kind)
    {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = fd;
        (void)epoll_ctl(poller_.get(), EPOLL_CTL_ADD, fd, &event); // a failure shows as no answer
        kinds_[fd] = kind;
    }

    [[nodiscard]] bool open_packets()
    {
        const int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL));
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kPacketBufferBytes, sizeof(kPacketBufferBytes));
        if (fd >= 0) {
            add(fd, Kind::Packet);
        }
        return fd >= 0;
    }

    [[nodiscard]] bool open_port(int type, const char* text)
    {
        sockaddr_storage address{};
        const socklen_t size = fill_address(text, address);
        const int fd = socket(address.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        const int one = 1;
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)); // refused by IPv4, where it means nothing
        if (fd < 0 || bind(fd, std::bit_cast<const sockaddr*>(&address), size) != 0 ||
            (type == SOCK_STREAM && listen(fd, kBacklog) != 0)) {
            return false;
        }
        add(fd, type == SOCK_STREAM ? Kind::Listener : Kind::Datagram);
        return true;
    }

    void serve(int fd)
    {
        switch (kinds_[fd]) {
        case Kind::Listener: accept_all(fd); return;
        case Kind::Connection: answer_connection(fd); return;
        case Kind::Datagram: answer_datagrams(fd); return;
        case Kind::Packet: count_packets(fd); return;
        case Kind::Channel: return;
        }
    }

    void accept_all(int fd)
    {
        for (int client = 0; (client = accept4(fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;) {
            counters_.connections.fetch_add(1);
            add(client, Kind::Connection);
        }
    }

    void answer_connection(int fd)
    {
        std::array<char, 4096> buffer{};
        if (recv(fd, buffer.data(), buffer.size(), 0) <= 0) {
            kinds_.erase(fd);
            (void)close(fd);
            return;
        }
        counters_.requests.fetch_add(1);
        (void)send(fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL); // a client that is gone needs none
    }

    void answer_datagrams(int fd)
    {
        std::array<char, 4096> buffer{};
        sockaddr_storage from{};
        socklen_t size = sizeof(from);
        while (recvfrom(fd, buffer.data(), buffer.size(), 0, std::bit_cast<sockaddr*>(&from), &size) >= 0) {
            counters_.requests.fetch_add(1);
            (void)sendto(fd, kAnswer.data(), kAnswer.size(), 0, std::bit_cast<const sockaddr*>(&from), size);
            size = sizeof(from);
        }
    }

    void count_packets(int fd)
    {
        std::array<char, 65536> buffer{};
        sockaddr_ll from{};
        socklen_t size = sizeof(from);
        for (;;) {
            const ssize_t length =
                recvfrom(fd, buffer.data(), buffer.size(), 0, std::bit_cast<sockaddr*>(&from), &size);
            if (length < 0) {
                return;
            }
            if (from.sll_pkttype != PACKET_OUTGOING) {
                count_packet(std::string_view(buffer.data(), static_cast<std::size_t>(length)), counters_);
            }
            size = sizeof(from);
        }
    }

    int channel_;
    FarEndCounters& counters_;
    UniqueFd poller_;
    std::map<int, Kind> kinds_;
};

} // namespace

void count_packet(std::string_view packet, FarEndCounters& counters)
{
    const auto segment = guarded_segment(packet);
    if (!segment || is_neighbour_discovery(*segment)) {
        return;
    }
    if (is_bare_control(*segment)) {
        counters.control.fetch_add(1);
    } else {
        counters.openings.fetch_add(1);
    }
}

void serve_far_end(int channel, FarEndCounters& counters)
{
    Loop loop(channel, counters);
    if (loop.open_all()) {
        (void)send(channel, "r", 1, MSG_NOSIGNAL);
        loop.run();
    }
}

} // namespace hostward::e2e
