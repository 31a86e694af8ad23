// SPDX-License-Identifier: Apache-2.0
// fastopen sendmsg|connect ADDRESS: connections that are made by sending. `sendmsg` never calls connect(2);
// `connect` calls it with TCP_FASTOPEN_CONNECT, where the handshake waits for the first write.
#include "attack.h"

#include <linux/tcp.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace {

[[noreturn]] void read_answer(int fd, const char* how, const attack::Stopwatch& watch)
{
    std::array<char, 2048> buffer{};
    const ssize_t size = recv(fd, buffer.data(), buffer.size(), 0);
    if (size <= 0) {
        attack::refused("recv", size == 0 ? ECONNRESET : errno, watch);
    }
    attack::reached(how, std::string_view(buffer.data(), static_cast<std::size_t>(size)));
}

[[noreturn]] void by_sendmsg(int fd, const attack::Target& target, const attack::Stopwatch& watch)
{
    const std::string_view text = attack::request();
    const int flags = MSG_FASTOPEN | MSG_NOSIGNAL;
    if (sendto(fd, text.data(), text.size(), flags, target.raw(), target.size) < 0) {
        if (errno == EOPNOTSUPP) {
            attack::cannot_try("MSG_FASTOPEN: net.ipv4.tcp_fastopen lacks the client bit", errno);
        }
        attack::refused("sendto(MSG_FASTOPEN)", errno, watch);
    }
    read_answer(fd, "MSG_FASTOPEN", watch);
}

[[noreturn]] void by_connect(int fd, const attack::Target& target, const attack::Stopwatch& watch)
{
    const int one = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one)) != 0) {
        attack::cannot_try("setsockopt(TCP_FASTOPEN_CONNECT)", errno);
    }
    if (connect(fd, target.raw(), target.size) != 0) {
        attack::refused("connect(TCP_FASTOPEN_CONNECT)", errno, watch);
    }
    attack::exchange(fd, "TCP_FASTOPEN_CONNECT", watch);
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 3) {
        attack::usage("fastopen sendmsg|connect ADDRESS");
    }
    const attack::Target target = attack::require_target(argv[2]);
    const attack::Stopwatch watch;
    const int fd = attack::make_socket(target.family(), SOCK_STREAM, 0, watch);
    attack::set_deadline(fd);
    if (std::strcmp(argv[1], "sendmsg") == 0) {
        by_sendmsg(fd, target, watch);
    }
    if (std::strcmp(argv[1], "connect") == 0) {
        by_connect(fd, target, watch);
    }
    attack::usage("fastopen sendmsg|connect ADDRESS");
}
