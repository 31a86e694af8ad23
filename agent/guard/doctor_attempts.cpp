// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/doctor_attempts.h"

#include "agent/base/text.h"
#include "agent/base/unique_fd.h"
#include "agent/guard/doctor.h"
#include "agent/guard/tc.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <functional>

namespace hostward::guard {

namespace {

constexpr std::uint16_t kPort = 80;
constexpr int kWorked = 0;
constexpr auto kLoopback = "lo";

/// The errno of an attempt, 0 for success; an error where it could not even be made.
using Attempt = std::function<Result<int>()>;

sockaddr_in address4(const char* text)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(kPort);
    (void)::inet_pton(AF_INET, text, &address.sin_addr); // a constant of ours
    return address;
}

sockaddr_in6 address6(const char* text)
{
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(kPort);
    (void)::inet_pton(AF_INET6, text, &address.sin6_addr); // a constant of ours
    return address;
}

Result<UniqueFd> open_socket(int family, int type, int protocol)
{
    UniqueFd socket(::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
    if (!socket) {
        return system_error(errno, "cannot open a socket for the trial");
    }
    return socket;
}

template <typename Address> Result<int> try_connect(int family, const Address& to)
{
    TRY_ASSIGN(const UniqueFd socket, open_socket(family, SOCK_STREAM, 0));
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0 ? kWorked : errno;
}

template <typename Address> Result<int> try_send(int family, int type, int protocol, const Address& to)
{
    TRY_ASSIGN(const UniqueFd socket, open_socket(family, type, protocol));
    const auto* address = reinterpret_cast<const sockaddr*>(&to);
    return ::sendto(socket.get(), "x", 1, 0, address, sizeof(to)) == 1 ? kWorked : errno;
}

/// An allowed socket: its packet passes the egress hook only if connect could tag it.
Result<int> try_allowed()
{
    TRY_ASSIGN(const UniqueFd socket, open_socket(AF_INET, SOCK_DGRAM, 0));
    const sockaddr_in to = address4(kAllowed4);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0) {
        return errno;
    }
    return ::send(socket.get(), "x", 1, 0) == 1 ? kWorked : errno;
}

/// A UDP packet in an Ethernet frame, past every socket hook.
Result<int> try_frame()
{
    struct {
        ethhdr ethernet{};
        iphdr ip{};
        std::array<unsigned char, 8> udp{};
    } __attribute__((packed)) frame;
    frame.ethernet.h_proto = htons(ETH_P_IP);
    frame.ip.version = 4;
    frame.ip.ihl = sizeof(frame.ip) / 4;
    frame.ip.ttl = 1;
    frame.ip.protocol = IPPROTO_UDP;
    frame.ip.tot_len = htons(sizeof(frame.ip) + sizeof(frame.udp));
    frame.ip.daddr = address4(kRefused4).sin_addr.s_addr;
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_protocol = htons(ETH_P_IP);
    to.sll_ifindex = static_cast<int>(::if_nametoindex(kLoopback));
    TRY_ASSIGN(const UniqueFd socket, open_socket(AF_PACKET, SOCK_RAW, 0));
    const auto sent =
        ::sendto(socket.get(), &frame, sizeof(frame), 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to));
    return sent >= 0 ? kWorked : errno;
}

Result<int> try_tc(int program)
{
    if (program < 0) {
        return Error{ErrorKind::Unsupported, 0, "the tc programs are not loaded"};
    }
    const Interface loopback{static_cast<int>(::if_nametoindex(kLoopback)), kLoopback, true};
    TRY(attach_tc(loopback, program));
    return try_frame();
}

Status join(const std::string& cgroup)
{
    const std::string path = cgroup + "/cgroup.procs";
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file || ::write(file.get(), "0", 1) != 1) {
        return system_error(errno, "cannot join the cgroup of the trial");
    }
    return success();
}

/// A network namespace whose loopback interface leads to the addresses.
Status enter_network()
{
    if (::unshare(CLONE_NEWNET) != 0) {
        return system_error(errno, "cannot make a network namespace for the trial");
    }
    TRY_ASSIGN(const UniqueFd socket, open_socket(AF_INET, SOCK_DGRAM, 0));
    ifreq request{};
    std::strncpy(static_cast<char*>(request.ifr_name), kLoopback, IFNAMSIZ - 1);
    const auto set = [&](unsigned long what, const char* address) {
        const sockaddr_in value = address4(address);
        std::memcpy(&request.ifr_addr, &value, sizeof(value));
        return ::ioctl(socket.get(), what, &request) == 0;
    };
    bool done = set(SIOCSIFADDR, kAllowed4) && set(SIOCSIFNETMASK, "255.255.255.0");
    request.ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK;
    done = done && ::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0;
    if (!done) {
        return system_error(errno, "cannot set up the network of the trial");
    }
    return success();
}

void report(int out, const char* name, const Result<int>& result)
{
    std::string line = name;
    line += "\t";
    if (result) {
        line += std::to_string(*result);
    } else {
        line += result.error().error_number == EAFNOSUPPORT ? kNoFamily : kNotMade;
        line += "\t" + escape(result.error().text);
    }
    line += "\n";
    (void)!::write(out, line.data(), line.size()); // a parent that is gone needs no answer
}

struct Named {
    const char* name;
    Attempt attempt;
};

} // namespace

void make_attempts(const std::string& cgroup, int tc_program, int out)
{
    const std::array<Named, 7> attempts{{
        {trial::kConnect4, [] { return try_connect(AF_INET, address4(kRefused4)); }},
        {trial::kConnect6, [] { return try_connect(AF_INET6, address6(kRefused6)); }},
        {trial::kSendmsg4, [] { return try_send(AF_INET, SOCK_DGRAM, 0, address4(kRefused4)); }},
        {trial::kSendmsg6, [] { return try_send(AF_INET6, SOCK_DGRAM, 0, address6(kRefused6)); }},
        {trial::kEgress, [] { return try_send(AF_INET, SOCK_RAW, IPPROTO_UDP, address4(kRefused4)); }},
        {trial::kTags, try_allowed},
        {trial::kTc, [tc_program] { return try_tc(tc_program); }},
    }};
    Status ready = join(cgroup);
    if (ready) {
        ready = enter_network();
    }
    for (const auto& [name, attempt] : attempts) {
        report(out, name, ready ? attempt() : ready.error());
    }
}

} // namespace hostward::guard
