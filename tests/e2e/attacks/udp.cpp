// SPDX-License-Identifier: Apache-2.0
// udp connected|sendto|sendmsg|sendmmsg ADDRESS: one datagram each way, on each path that names a destination.
#include "attack.h"

#include <array>
#include <cerrno>
#include <cstring>

namespace {

using Sender = ssize_t (*)(int fd, const attack::Target& target);

ssize_t send_connected(int fd, const attack::Target& target)
{
    if (connect(fd, target.raw(), target.size) != 0) {
        return -1;
    }
    return send(fd, attack::request().data(), attack::request().size(), 0);
}

ssize_t send_to(int fd, const attack::Target& target)
{
    return sendto(fd, attack::request().data(), attack::request().size(), 0, target.raw(), target.size);
}

msghdr message_for(const attack::Target& target, iovec& part)
{
    part.iov_base = const_cast<char*>(attack::request().data()); // the kernel only reads it
    part.iov_len = attack::request().size();
    msghdr message{};
    message.msg_name = const_cast<sockaddr*>(target.raw());
    message.msg_namelen = target.size;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    return message;
}

ssize_t send_msg(int fd, const attack::Target& target)
{
    iovec part{};
    const msghdr message = message_for(target, part);
    return sendmsg(fd, &message, 0);
}

ssize_t send_mmsg(int fd, const attack::Target& target)
{
    iovec part{};
    mmsghdr messages[2]{};
    messages[0].msg_hdr = message_for(target, part);
    messages[1].msg_hdr = message_for(target, part);
    return sendmmsg(fd, messages, 2, 0);
}

struct Way {
    const char* name;
    Sender send;
};
constexpr std::array kWays{
    Way{"connected", send_connected},
    Way{"sendto", send_to},
    Way{"sendmsg", send_msg},
    Way{"sendmmsg", send_mmsg},
};

} // namespace

int main(int argc, char** argv)
{
    const Way* way = nullptr;
    for (const Way& known : kWays) {
        way = argc == 3 && std::strcmp(argv[1], known.name) == 0 ? &known : way;
    }
    if (way == nullptr) {
        attack::usage("udp connected|sendto|sendmsg|sendmmsg ADDRESS");
    }
    const attack::Target target = attack::require_target(argv[2]);
    const attack::Stopwatch watch;
    const int fd = attack::make_socket(target.family(), SOCK_DGRAM, 0, watch);
    attack::set_deadline(fd);
    if (way->send(fd, target) < 0) {
        attack::refused(way->name, errno, watch);
    }
    std::array<char, 2048> buffer{};
    const ssize_t size = recv(fd, buffer.data(), buffer.size(), 0);
    if (size < 0) {
        attack::refused("recv", errno, watch);
    }
    attack::reached(way->name, std::string_view(buffer.data(), static_cast<std::size_t>(size)));
}
