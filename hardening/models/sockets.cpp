// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/sockets.h"

#include "agent/base/text.h"
#include "hardening/models/lines.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <map>

namespace hostward::hardening {

namespace {

constexpr std::string_view kTcpListen = "0A";
constexpr std::string_view kUdpUnconnected = "07";
constexpr std::size_t kTableBytesMax = std::size_t{64} << 20; // some 400,000 sockets

/// The kernel prints addresses as words of the machine, 8 digits each.
bool parse_address(std::string_view text, ListeningSocket& out)
{
    const std::size_t words_wanted = out.is_ipv6() ? 4 : 1;
    if (text.size() != words_wanted * 8) {
        return false;
    }
    for (std::size_t word = 0; word < words_wanted; ++word) {
        const auto value = parse_number<std::uint32_t>(text.substr(word * 8, 8), 16);
        if (!value) {
            return false;
        }
        std::memcpy(out.address.data() + word * 4, &*value, sizeof(*value));
    }
    return true;
}

/// ` 0: ADDRESS:PORT REMOTE STATE tx:rx tr:when retransmits uid timeout inode ...`
bool parse_row(const std::vector<std::string_view>& fields, ListeningSocket& out)
{
    constexpr std::size_t kLocal = 1;
    constexpr std::size_t kUid = 7;
    constexpr std::size_t kInode = 9;
    if (fields.size() <= kInode) {
        return false;
    }
    const auto parts = split(fields[kLocal], ':');
    const auto port = parts.size() == 2 ? parse_number<std::uint16_t>(parts[1], 16) : std::nullopt;
    const auto uid = parse_number<std::uint32_t>(fields[kUid]);
    const auto inode = parse_number<std::uint64_t>(fields[kInode]);
    if (!port || !uid || !inode || !parse_address(parts[0], out)) {
        return false;
    }
    out.port = *port;
    out.uid = *uid;
    out.inode = *inode;
    return true;
}

std::string process_name(const host::Host& host, const std::string& pid)
{
    const auto name = host.read("/proc/" + pid + "/comm");
    return (name ? std::string(trimmed(split(*name, '\n')[0])) : "?") + "[" + pid + "]";
}

/// Socket inode -> the process with the lowest number that holds it. Processes of others may not be told.
std::map<std::uint64_t, std::string> holders(const host::Host& host)
{
    constexpr std::string_view kPrefix = "socket:[";
    std::map<std::uint64_t, std::string> found;
    const auto processes = host.list("/proc");
    for (const auto& pid : processes ? *processes : std::vector<std::string>{}) {
        if (!parse_number<std::uint32_t>(pid)) {
            continue;
        }
        const std::string folder = "/proc/" + pid + "/fd";
        const auto descriptors = host.list(folder);
        for (const auto& descriptor : descriptors ? *descriptors : std::vector<std::string>{}) {
            const auto target = host.link_target(folder + "/" + descriptor);
            if (!target || !target->starts_with(kPrefix) || !target->ends_with(']')) {
                continue;
            }
            const auto digits = std::string_view(*target).substr(kPrefix.size(), target->size() - kPrefix.size() - 1);
            if (const auto inode = parse_number<std::uint64_t>(digits); inode && !found.contains(*inode)) {
                found.emplace(*inode, process_name(host, pid));
            }
        }
    }
    return found;
}

} // namespace

bool ListeningSocket::is_loopback() const
{
    constexpr std::uint8_t kLoopbackNet = 127;
    if (!is_ipv6()) {
        return address[0] == kLoopbackNet;
    }
    in6_addr six{};
    std::memcpy(&six, address.data(), sizeof(six));
    return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && address[12] == kLoopbackNet);
}

std::string ListeningSocket::text() const
{
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    const char* printed = ::inet_ntop(is_ipv6() ? AF_INET6 : AF_INET, address.data(), buffer.data(),
                                      static_cast<socklen_t>(buffer.size()));
    const std::string host = printed == nullptr ? "?" : printed;
    return protocol + " " + (is_ipv6() ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<std::vector<ListeningSocket>> parse_socket_table(std::string_view text, const std::string& protocol)
{
    constexpr std::size_t kState = 3;
    const std::string_view wanted = protocol.starts_with("tcp") ? kTcpListen : kUdpUnconnected;
    std::vector<ListeningSocket> found;
    std::uint32_t wrong = 0;
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        const auto fields = words(line);
        if (number == 1 || fields.empty()) {
            return; // the head
        }
        ListeningSocket socket;
        socket.protocol = protocol;
        if (!parse_row(fields, socket)) {
            wrong = wrong == 0 ? number : wrong;
        } else if (fields[kState] == wanted) {
            found.push_back(std::move(socket));
        }
    });
    if (wrong != 0) {
        return invalid_error("line " + std::to_string(wrong) + " of the table of " + protocol +
                             " sockets is not of its form");
    }
    return found;
}

Result<ListeningSockets> ListeningSockets::read(Facts& facts)
{
    if (!facts.host().is_running()) {
        return Error{ErrorKind::Unsupported, 0, "an image has no open sockets"};
    }
    ListeningSockets sockets;
    for (const auto* protocol : {"tcp", "tcp6", "udp", "udp6"}) {
        const auto text = facts.host().read(std::string("/proc/self/net/") + protocol, kTableBytesMax);
        if (!text && text.error().kind == ErrorKind::NotFound && std::string_view(protocol).ends_with('6')) {
            continue; // a kernel without IPv6
        }
        if (!text) {
            return text.error();
        }
        TRY_ASSIGN(auto found, parse_socket_table(*text, protocol));
        std::ranges::move(found, std::back_inserter(sockets.all));
    }
    const auto known = holders(facts.host());
    for (auto& socket : sockets.all) {
        if (const auto holder = known.find(socket.inode); holder != known.end()) {
            socket.process = holder->second;
        }
    }
    return sockets;
}

} // namespace hostward::hardening
