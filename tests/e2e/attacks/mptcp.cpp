// SPDX-License-Identifier: Apache-2.0
// mptcp mptcp|smc ADDRESS: Multipath TCP, or shared memory communications that fall back to TCP: the socket of the
// program is not the socket on the wire.
#include "attack.h"

#include <netinet/in.h>

#include <cerrno>
#include <cstring>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

namespace {
constexpr int kSmcV4 = 0; // protocol numbers of AF_SMC
constexpr int kSmcV6 = 1;
} // namespace

int main(int argc, char** argv)
{
    if (argc != 3) {
        attack::usage("mptcp mptcp|smc ADDRESS");
    }
    const bool is_smc = std::strcmp(argv[1], "smc") == 0;
    const attack::Target target = attack::require_target(argv[2]);
    const attack::Stopwatch watch;
    const int fd = is_smc
                       ? attack::make_socket(AF_SMC, SOCK_STREAM, target.family() == AF_INET ? kSmcV4 : kSmcV6, watch)
                       : attack::make_socket(target.family(), SOCK_STREAM, IPPROTO_MPTCP, watch);
    attack::set_deadline(fd);
    if (connect(fd, target.raw(), target.size) != 0) {
        attack::refused("connect", errno, watch);
    }
    attack::exchange(fd, argv[1], watch);
}
