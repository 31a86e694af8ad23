// SPDX-License-Identifier: Apache-2.0
// mptcp ADDRESS: Multipath TCP, where the socket of the program is not the socket on the wire.
#include "attack.h"

#include <netinet/in.h>

#include <cerrno>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

int main(int argc, char** argv)
{
    if (argc != 2) {
        attack::usage("mptcp ADDRESS");
    }
    const attack::Target target = attack::require_target(argv[1]);
    const attack::Stopwatch watch;
    const int fd = attack::make_socket(target.family(), SOCK_STREAM, IPPROTO_MPTCP, watch);
    attack::set_deadline(fd);
    if (connect(fd, target.raw(), target.size) != 0) {
        attack::refused("connect(MPTCP)", errno, watch);
    }
    attack::exchange(fd, "MPTCP", watch);
}
