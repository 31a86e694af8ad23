// SPDX-License-Identifier: Apache-2.0
// tun ADDRESS OWN PEER: a packet from PEER put into this host through a tun device with the address OWN, which the
// host then forwards like any router (needs CAP_NET_ADMIN). No socket of this host sends it.
#include "attack.h"
#include "packet.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace {

constexpr std::uint16_t kSourcePort = 40323;

void require(bool is_done, const char* what)
{
    if (!is_done) {
        attack::cannot_try(what, errno);
    }
}

/// A tun device that is up, has the address OWN/24 and goes away with the descriptor.
int make_device(const attack::Target& own, const attack::Stopwatch& watch)
{
    const int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    require(fd >= 0, "/dev/net/tun");
    ifreq request{};
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    require(ioctl(fd, TUNSETIFF, &request) == 0, "TUNSETIFF");
    const int control = attack::make_socket(AF_INET, SOCK_DGRAM, 0, watch);
    const attack::Target address = attack::without_port(own);
    std::memcpy(&request.ifr_addr, &address.address, sizeof(request.ifr_addr));
    require(ioctl(control, SIOCSIFADDR, &request) == 0, "SIOCSIFADDR");
    const attack::Target mask = attack::require_target("255.255.255.0", 0);
    std::memcpy(&request.ifr_netmask, &mask.address, sizeof(request.ifr_netmask));
    require(ioctl(control, SIOCSIFNETMASK, &request) == 0, "SIOCSIFNETMASK");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    require(ioctl(control, SIOCSIFFLAGS, &request) == 0, "SIOCSIFFLAGS");
    (void)close(control);
    return fd;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 4) {
        attack::usage("tun ADDRESS OWN PEER");
    }
    const attack::Stopwatch watch;
    const int fd = make_device(attack::require_target(argv[2]), watch);
    attack::PacketPlan plan;
    plan.destination = attack::require_target(argv[1]);
    plan.source = attack::require_target(argv[3]);
    plan.source_port = kSourcePort;
    plan.payload = attack::request();
    const attack::Bytes packet = attack::udp_packet(plan);
    require(write(fd, packet.data(), packet.size()) == static_cast<ssize_t>(packet.size()), "write to the device");
    std::array<char, 4096> buffer{};
    while (watch.elapsed_us() < std::int64_t{attack::kDeadlineMs} * 1000) {
        pollfd source{fd, POLLIN, 0};
        if (poll(&source, 1, attack::kDeadlineMs) <= 0) {
            break;
        }
        const ssize_t size = read(fd, buffer.data(), buffer.size());
        const std::string_view text(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
        if (const std::size_t at = text.find("HTTP/"); at != std::string_view::npos) { // IPv6 greets new devices, too
            attack::reached("tun device", text.substr(at));
        }
    }
    attack::refused("answer through the tun device", ETIMEDOUT, watch);
}
