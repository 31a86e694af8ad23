// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/network.h"

#include "tests/e2e/support/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

namespace hostward::e2e {

namespace {

constexpr std::array kToolFolders{"/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"};

constexpr int kProbeMs = 200;
constexpr int kProbesMax = 50;

std::string tool(const std::string& name)
{
    for (const char* folder : kToolFolders) {
        std::error_code status;
        if (std::filesystem::exists(folder + name, status)) {
            return folder + name;
        }
    }
    return name; // the start then fails and names it
}

Status run_tool(int network, std::vector<std::string> argv, const std::string& input)
{
    argv[0] = tool(argv[0]);
    Launch launch;
    launch.argv = std::move(argv);
    launch.network = network;
    launch.input = input;
    TRY_ASSIGN(const Outcome outcome, run(launch));
    if (outcome.exit_code != 0) {
        return Error{ErrorKind::System, 0, launch.argv[0] + ": " + outcome.text()};
    }
    return success();
}

Result<UniqueFd> open_own_network()
{
    UniqueFd fd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!fd) {
        return system_error(errno, "/proc/thread-self/ns/net");
    }
    return fd;
}

Status enter(int network)
{
    return setns(network, CLONE_NEWNET) == 0 ? success() : Status(system_error(errno, "setns"));
}

/// A new namespace; we stay where we are.
Result<UniqueFd> make_network()
{
    TRY_ASSIGN(const UniqueFd home, open_own_network());
    if (unshare(CLONE_NEWNET) != 0) {
        return system_error(errno, "unshare(CLONE_NEWNET)");
    }
    auto made = open_own_network();
    TRY(enter(home.get()));
    return made;
}

struct Setting {
    const char* path;
    const char* value;
};

/// Forwarding for the container, and the laxest answer to every source route: the attacks get a fair chance.
constexpr std::array kSettings{
    Setting{"net/ipv4/ip_forward", "1"},
    Setting{"net/ipv4/conf/all/accept_source_route", "1"},
    Setting{"net/ipv4/conf/default/accept_source_route", "1"},
    Setting{"net/ipv4/conf/all/rp_filter", "0"},
    Setting{"net/ipv4/conf/default/rp_filter", "0"},
    Setting{"net/ipv4/ping_group_range", "0\t2147483647"},
    Setting{"net/ipv6/conf/all/forwarding", "1"},
    Setting{"net/ipv6/conf/all/disable_ipv6", "0"},
    Setting{"net/ipv6/conf/default/disable_ipv6", "0"},
    Setting{"net/ipv6/conf/default/accept_dad", "0"},
    Setting{"net/ipv6/conf/all/seg6_enabled", "1"},
    Setting{"net/ipv6/conf/default/seg6_enabled", "1"},
};

Status write_settings(int network)
{
    TRY_ASSIGN(const UniqueFd home, open_own_network());
    TRY(enter(network));
    std::string failed;
    for (const Setting& setting : kSettings) {
        std::ofstream file(std::string("/proc/sys/") + setting.path);
        file << setting.value << std::flush;
        failed = file ? failed : setting.path;
    }
    TRY(enter(home.get()));
    return failed.empty() ? success() : Status(Error{ErrorKind::System, 0, "write " + failed});
}

Status connect_client(int client, int container, int far)
{
    const std::string far_path = Network::path_of(far);
    const std::string container_path = Network::path_of(container);
    std::string more;
    for (int i = kClientFirst; i < kClientFirst + kClientSpare; ++i) {
        more += "addr add " + std::string(kClientPrefix4) + std::to_string(i) + "/24 dev hw0\n";
    }
    return run_tool(client, {"ip", "-batch", "-"},
                    "link set lo up\n"
                    "link add hw0 type veth peer name hw1 netns " +
                        far_path +
                        "\n"
                        "link add hwc0 type veth peer name hwc1 netns " +
                        container_path +
                        "\n"
                        "addr add 192.0.2.1/24 dev hw0\n"
                        "addr add 2001:db8:1::1/64 dev hw0 nodad\n"
                        "addr add 198.51.100.1/24 dev hwc0\n"
                        "addr add 2001:db8:2::1/64 dev hwc0 nodad\n"
                        "link set hw0 up\n"
                        "link set hwc0 up\n"
                        "route add 169.254.169.254/32 dev hw0 src 192.0.2.1\n"
                        "route add fd00:ec2::254/128 via 2001:db8:1::2 dev hw0\n"
                        // Addresses to translate from: a packet needs a route before it meets the translation.
                        "route add 203.0.113.0/24 via 192.0.2.2\n"
                        "route add 169.254.170.2/32 via 192.0.2.2\n"
                        "route add 2001:db8:9::/64 via 2001:db8:1::2\n" +
                        more);
}

Status connect_far(int far)
{
    return run_tool(far, {"ip", "-batch", "-"},
                    "link set lo up\n"
                    "link set hw1 address " +
                        std::string(kFarMac) +
                        "\n"
                        "addr add 192.0.2.2/24 dev hw1\n"
                        "addr add 169.254.169.254/32 dev hw1\n"
                        "addr add 2001:db8:1::2/64 dev hw1 nodad\n"
                        "addr add fd00:ec2::254/128 dev hw1 nodad\n"
                        "link set hw1 up\n"
                        "route add default via 192.0.2.1\n"
                        "route add default via 2001:db8:1::1\n");
}

Status connect_container(int container)
{
    return run_tool(container, {"ip", "-batch", "-"},
                    "link set lo up\n"
                    "addr add 198.51.100.2/24 dev hwc1\n"
                    "addr add 2001:db8:2::2/64 dev hwc1 nodad\n"
                    "link set hwc1 up\n"
                    "route add default via 198.51.100.1\n"
                    "route add default via 2001:db8:2::1\n");
}

/// One datagram there and back from the namespace we are in.
bool is_answered(const char* address)
{
    sockaddr_in6 target{};
    target.sin6_family = AF_INET6;
    target.sin6_port = htons(80);
    (void)inet_pton(AF_INET6, address, &target.sin6_addr); // our own constants
    const UniqueFd fd(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    pollfd answer{fd.get(), POLLIN, 0};
    return connect(fd.get(), std::bit_cast<const sockaddr*>(&target), sizeof(target)) == 0 &&
           send(fd.get(), "x", 1, 0) == 1 && poll(&answer, 1, kProbeMs) == 1 && (answer.revents & POLLERR) == 0;
}

/// A fresh link needs a moment until neighbours find each other: no attack is to fail for that.
Status await_links(int network)
{
    TRY_ASSIGN(const UniqueFd home, open_own_network());
    TRY(enter(network));
    bool is_up = false;
    for (int probe = 0; probe < kProbesMax && !is_up; ++probe) {
        is_up = is_answered("::ffff:169.254.169.254") && is_answered(kImds6);
    }
    TRY(enter(home.get()));
    return is_up ? success() : Status(Error{ErrorKind::System, ETIMEDOUT, "the far end does not answer"});
}

} // namespace

std::string Network::path_of(int network)
{
    return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(network);
}

Result<Network> Network::create()
{
    TRY_ASSIGN(UniqueFd client, make_network());
    TRY_ASSIGN(UniqueFd container, make_network());
    TRY_ASSIGN(UniqueFd far, make_network());
    for (const int network : {client.get(), container.get(), far.get()}) {
        TRY(write_settings(network));
    }
    TRY(connect_client(client.get(), container.get(), far.get()));
    TRY(connect_far(far.get()));
    TRY(connect_container(container.get()));
    TRY_ASSIGN(FarEnd imds, FarEnd::start(far.get()));
    TRY(await_links(client.get()));
    TRY(await_links(container.get()));
    return Network(std::move(client), std::move(container), std::move(far), std::move(imds));
}

Status nft(int network, const std::string& rules) { return run_tool(network, {"nft", "-f", "-"}, rules); }

} // namespace hostward::e2e
