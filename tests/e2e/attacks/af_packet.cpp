// SPDX-License-Identifier: Apache-2.0
// af_packet raw|dgram udp|syn ADDRESS SOURCE INTERFACE MAC [bypass]: a frame put straight on the interface
// (needs CAP_NET_RAW). `bypass` sets PACKET_QDISC_BYPASS, which goes around traffic control as well.
#include "attack.h"
#include "packet.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>

#include <bit>
#include <cerrno>
#include <cstring>

namespace {

constexpr auto kUsageText = "af_packet raw|dgram udp|syn ADDRESS SOURCE INTERFACE MAC [bypass]";
constexpr std::uint16_t kSynPort = 40322;

struct Options {
    bool is_raw = false; ///< the frame with its Ethernet header
    bool is_syn = false;
    bool has_bypass = false;
    attack::PacketPlan plan;
    attack::Mac mac{};
    unsigned int interface = 0;
};

Options parse(int argc, char** argv)
{
    if (argc != 7 && argc != 8) {
        attack::usage(kUsageText);
    }
    Options options;
    options.is_raw = std::strcmp(argv[1], "raw") == 0;
    options.is_syn = std::strcmp(argv[2], "syn") == 0;
    options.has_bypass = argc == 8 && std::strcmp(argv[7], "bypass") == 0;
    options.plan.destination = attack::require_target(argv[3]);
    options.plan.source = attack::require_target(argv[4], 0);
    options.plan.source_port = kSynPort;
    options.interface = if_nametoindex(argv[5]);
    options.mac = attack::require_mac(argv[6]);
    if (options.interface == 0) {
        attack::usage("INTERFACE must exist");
    }
    return options;
}

void set_bypass(int fd, const attack::Stopwatch& watch)
{
    const int one = 1;
    if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)) == 0) {
        return;
    }
    if (errno == EPERM || errno == EACCES) {
        attack::refused("setsockopt(PACKET_QDISC_BYPASS)", errno, watch);
    }
    attack::cannot_try("setsockopt(PACKET_QDISC_BYPASS)", errno);
}

sockaddr_ll link_address(const Options& options)
{
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(options.interface);
    address.sll_protocol = htons(options.plan.destination.family() == AF_INET ? ETH_P_IP : ETH_P_IPV6);
    address.sll_halen = sizeof(attack::Mac);
    std::memcpy(address.sll_addr, options.mac.data(), options.mac.size());
    return address;
}

void send_frame(int fd, const Options& options, const attack::Bytes& packet, const attack::Stopwatch& watch)
{
    const sockaddr_ll address = link_address(options);
    const attack::Bytes frame = options.is_raw ? attack::ethernet_frame(options.mac, packet) : packet;
    if (sendto(fd, frame.data(), frame.size(), 0, std::bit_cast<const sockaddr*>(&address), sizeof(address)) < 0) {
        attack::refused("sendto(packet socket)", errno, watch);
    }
}

} // namespace

int main(int argc, char** argv)
{
    Options options = parse(argc, argv);
    const attack::Stopwatch watch;
    const int protocol = htons(options.plan.destination.family() == AF_INET ? ETH_P_IP : ETH_P_IPV6);
    const int fd = attack::make_socket(AF_PACKET, options.is_raw ? SOCK_RAW : SOCK_DGRAM, protocol, watch);
    attack::set_deadline(fd);
    if (options.has_bypass) {
        set_bypass(fd, watch);
    }
    if (options.is_syn) {
        send_frame(fd, options, attack::syn_packet(options.plan), watch);
        attack::await_syn_ack(fd, kSynPort, options.is_raw ? sizeof(ether_header) : 0, "SYN frame", watch);
    }
    const attack::Listener listener = attack::listen_for_answer(options.plan.source, watch);
    options.plan.source_port = listener.port;
    options.plan.payload = attack::request();
    send_frame(fd, options, attack::udp_packet(options.plan), watch);
    attack::await_answer(listener, "UDP frame", watch);
}
