// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/connections.h"

#include "agent/base/unique_fd.h"
#include "agent/guard/decide.h"

#include <bpf/bpf.h>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <functional>
#include <optional>
#include <vector>

namespace hostward::guard {

namespace {

// <linux/sock_diag.h> numbers SOCK_DESTROY 21; a request carries the socket's own id back (sock_diag(7)).
constexpr std::size_t kReceiveBytes = 64U << 10;
constexpr unsigned kTypeMask = 0x3fff; // NLA_TYPE_MASK, which is a signed number
constexpr unsigned kTimeWait = 6;      // TCP_TIME_WAIT: no owner any more who could notice

struct Peer {
    inet_diag_sockid id{};
    std::uint8_t family = 0;
    std::uint8_t protocol = 0;
    std::optional<hw_tag> tag;
    std::uint32_t uid = 0;
    std::uint32_t inode = 0;
};

struct DumpRequest {
    nlmsghdr header{};
    inet_diag_req_v2 body{};
    // INET_DIAG_REQ_SK_BPF_STORAGES { SK_DIAG_BPF_STORAGE_REQ_MAP_FD: fd }
    nlattr storages{};
    nlattr map{};
    std::uint32_t map_fd = 0;
};

Status send_message(int socket, const void* message, std::size_t size)
{
    if (::send(socket, message, size, 0) < 0) {
        const int error = errno;
        return system_error(error, "cannot ask the kernel for sockets");
    }
    return success();
}

/// map_fd: whose storage is wanted with each socket; negative: none.
Status send_dump(int socket, std::uint8_t family, std::uint8_t protocol, int map_fd)
{
    DumpRequest request;
    request.header.nlmsg_len = map_fd < 0 ? offsetof(DumpRequest, storages) : sizeof(request);
    request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.body.sdiag_family = family;
    request.body.sdiag_protocol = protocol;
    request.body.idiag_states = ~(1U << kTimeWait);
    request.storages.nla_type = INET_DIAG_REQ_SK_BPF_STORAGES | NLA_F_NESTED;
    request.storages.nla_len = sizeof(request.storages) + sizeof(request.map) + sizeof(request.map_fd);
    request.map.nla_type = SK_DIAG_BPF_STORAGE_REQ_MAP_FD;
    request.map.nla_len = sizeof(request.map) + sizeof(request.map_fd);
    request.map_fd = static_cast<std::uint32_t>(map_fd);
    return send_message(socket, &request, request.header.nlmsg_len);
}

/// Calls `each(type, data, size)` for the attributes in [at, at + size).
void for_each_attribute(const char* at, std::size_t size,
                        const std::function<void(unsigned, const char*, std::size_t)>& each)
{
    nlattr attribute{};
    while (size >= sizeof(attribute)) {
        std::memcpy(&attribute, at, sizeof(attribute));
        if (attribute.nla_len < sizeof(attribute) || attribute.nla_len > size) {
            return; // malformed: what follows cannot be trusted
        }
        each(attribute.nla_type & kTypeMask, at + sizeof(attribute), attribute.nla_len - sizeof(attribute));
        const std::size_t step = NLA_ALIGN(attribute.nla_len);
        if (step >= size) {
            return;
        }
        at += step;
        size -= step;
    }
}

std::optional<hw_tag> find_tag(const char* attributes, std::size_t size)
{
    std::optional<hw_tag> tag;
    const auto value = [&](unsigned type, const char* data, std::size_t length) {
        if (type == SK_DIAG_BPF_STORAGE_MAP_VALUE && length >= sizeof(hw_tag)) {
            tag.emplace();
            std::memcpy(&*tag, data, sizeof(hw_tag));
        }
    };
    const auto storage = [&](unsigned type, const char* data, std::size_t length) {
        if (type == SK_DIAG_BPF_STORAGE) {
            for_each_attribute(data, length, value);
        }
    };
    for_each_attribute(attributes, size, [&](unsigned type, const char* data, std::size_t length) {
        if (type == INET_DIAG_SK_BPF_STORAGES) {
            for_each_attribute(data, length, storage);
        }
    });
    return tag;
}

/// Takes one answer message apart. True: the dump goes on.
Result<bool> take_message(const nlmsghdr& header, const char* data, std::uint8_t protocol, std::vector<Peer>& peers)
{
    const std::size_t size = header.nlmsg_len - sizeof(header);
    if (header.nlmsg_type == NLMSG_DONE) {
        return false;
    }
    if (header.nlmsg_type == NLMSG_ERROR) {
        nlmsgerr error{};
        std::memcpy(&error, data, std::min(size, sizeof(error)));
        return system_error(-error.error, "the kernel does not list sockets");
    }
    inet_diag_msg message{};
    if (size < sizeof(message)) {
        return Error{ErrorKind::System, 0, "the kernel sent a short socket record"};
    }
    std::memcpy(&message, data, sizeof(message));
    peers.push_back({message.id, message.idiag_family, protocol,
                     find_tag(data + NLMSG_ALIGN(sizeof(message)), size - NLMSG_ALIGN(sizeof(message))),
                     message.idiag_uid, message.idiag_inode});
    return true;
}

Status receive_dump(int socket, std::uint8_t protocol, std::vector<Peer>& peers)
{
    std::vector<char> buffer(kReceiveBytes);
    while (true) {
        const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), 0);
        if (got < 0) {
            const int error = errno;
            return system_error(error, "cannot read the list of sockets");
        }
        auto left = static_cast<std::size_t>(got);
        const char* at = buffer.data();
        nlmsghdr header{};
        while (left >= sizeof(header)) {
            std::memcpy(&header, at, sizeof(header));
            if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > left) {
                return Error{ErrorKind::System, 0, "the kernel sent a malformed list of sockets"};
            }
            TRY_ASSIGN(const bool more, take_message(header, at + sizeof(header), protocol, peers));
            if (!more) {
                return success();
            }
            const std::size_t step = std::min<std::size_t>(left, NLMSG_ALIGN(header.nlmsg_len));
            at += step;
            left -= step;
        }
    }
}

Status destroy(int socket, const Peer& peer)
{
    struct {
        nlmsghdr header{};
        inet_diag_req_v2 body{};
    } request;
    request.header.nlmsg_len = sizeof(request);
    request.header.nlmsg_type = SOCK_DESTROY;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    request.body.sdiag_family = peer.family;
    request.body.sdiag_protocol = peer.protocol;
    request.body.idiag_states = ~0U;
    request.body.id = peer.id;
    TRY(send_message(socket, &request, sizeof(request)));
    struct {
        nlmsghdr header{};
        nlmsgerr error{};
    } answer;
    if (::recv(socket, &answer, sizeof(answer), 0) < 0) {
        const int error = errno;
        return system_error(error, "cannot read the answer about a socket");
    }
    if (answer.error.error != 0 && answer.error.error != -ENOENT) { // ENOENT: closed meanwhile
        return system_error(-answer.error.error, "the kernel does not destroy sockets");
    }
    return success();
}

std::optional<std::uint32_t> guarding_endpoint(const CompiledPolicy& policy, const Peer& peer)
{
    std::array<unsigned char, 16> address{};
    std::memcpy(address.data(), static_cast<const void*>(peer.id.idiag_dst), address.size());
    return endpoint_of(policy, endpoint_key(address.data(), peer.family == AF_INET ? 4 : 16));
}

/// The kernel's check_tag (ebpf/packet.bpf.h).
bool is_valid(const Peer& peer, std::uint32_t endpoint, const CompiledPolicy& policy, std::uint64_t generation)
{
    if (!peer.tag || peer.tag->verdict != HW_ALLOW || peer.tag->endpoint != endpoint) {
        return false;
    }
    if (peer.tag->generation == generation) {
        return true;
    }
    hw_fact_key key{};
    key.kind = HW_FACT_DIGEST;
    key.a = peer.tag->digest;
    return peer.tag->digest != 0 && policy.facts.contains(key);
}

Result<std::vector<Peer>> tcp_peers(int socket, int map_fd)
{
    std::vector<Peer> peers;
    for (const std::uint8_t family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
        TRY(send_dump(socket, family, IPPROTO_TCP, map_fd));
        TRY(receive_dump(socket, IPPROTO_TCP, peers));
    }
    return peers;
}

} // namespace

Result<std::size_t> destroy_stale(const KernelMaps& maps, const CompiledPolicy& policy, std::uint64_t generation)
{
    const UniqueFd socket(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (!socket) {
        return system_error(errno, "cannot open sock_diag");
    }
    TRY_ASSIGN(const std::vector<Peer> peers, tcp_peers(socket.get(), maps.fd(MapId::Tags)));
    std::size_t destroyed = 0;
    for (const auto& peer : peers) {
        const auto endpoint = guarding_endpoint(policy, peer);
        if (endpoint && !is_valid(peer, *endpoint, policy, generation)) {
            TRY(destroy(socket.get(), peer));
            ++destroyed;
        }
    }
    return destroyed;
}

Result<std::vector<Connection>> list_connections()
{
    const UniqueFd socket(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (!socket) {
        return system_error(errno, "cannot open sock_diag");
    }
    TRY_ASSIGN(const std::vector<Peer> peers, tcp_peers(socket.get(), -1));
    std::vector<Connection> found;
    for (const auto& peer : peers) {
        Connection connection;
        connection.size = peer.family == AF_INET ? 4 : 16;
        std::memcpy(connection.address.data(), static_cast<const void*>(peer.id.idiag_dst), connection.size);
        connection.port = ntohs(peer.id.idiag_dport);
        connection.uid = peer.uid;
        connection.inode = peer.inode;
        found.push_back(connection);
    }
    return found;
}

std::string peer_text(const Connection& connection)
{
    std::array<char, INET6_ADDRSTRLEN> text{};
    const bool is_v4 = connection.size == 4;
    (void)::inet_ntop(is_v4 ? AF_INET : AF_INET6, connection.address.data(), text.data(), text.size()); // it fits
    const std::string address = text.data();
    return (is_v4 ? address : "[" + address + "]") + ":" + std::to_string(connection.port);
}

} // namespace hostward::guard
