// SPDX-License-Identifier: Apache-2.0
// held tcp|udp ADDRESS: opens the way now, uses it later. Prints `ready`, waits for a line on stdin, then asks.
// Over TCP a first request is answered before that, as a client with a kept-alive connection would have it.
#include "attack.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

int main(int argc, char** argv)
{
    if (argc != 3) {
        attack::usage("held tcp|udp ADDRESS");
    }
    const attack::Target target = attack::require_target(argv[2]);
    const bool is_tcp = std::strcmp(argv[1], "tcp") == 0;
    const attack::Stopwatch opening;
    const int fd = attack::make_socket(target.family(), is_tcp ? SOCK_STREAM : SOCK_DGRAM, 0, opening);
    attack::set_deadline(fd);
    if (connect(fd, target.raw(), target.size) != 0) {
        attack::refused("connect before the guard", errno, opening);
    }
    std::string answer;
    if (attack::try_exchange(fd, answer) <= 0) {
        attack::refused("exchange before the guard", ECONNRESET, opening);
    }
    std::printf("ready\n");
    (void)std::fflush(stdout);
    std::array<char, 16> line{};
    if (read(STDIN_FILENO, line.data(), line.size()) < 0) {
        attack::usage("held needs a standard input");
    }
    const attack::Stopwatch watch;
    attack::exchange(fd, "a connection held", watch);
}
