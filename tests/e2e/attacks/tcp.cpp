// SPDX-License-Identifier: Apache-2.0
// tcp ADDRESS: socket, connect, one request. Serves the rows tcp, v4-mapped, ipv6, dnat, forwarded and, as the
// program that is copied, mounted over or injected into, the rows about the caller's identity.
// tcp --wait ADDRESS: the same after a line on standard input; prints `ready PID` before.
// tcp --idle [long]: connects to nothing; the innocent life of an allowed program.
#include "attack.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

namespace {

constexpr int kIdleStepMs = 20;
constexpr int kIdleStepsMax = 60 * 1000 / kIdleStepMs;

/// Short naps: an attacker that waits for the end of a system call need not wait long.
int idle(int steps)
{
    std::printf("idle %d\n", static_cast<int>(getpid()));
    (void)std::fflush(stdout);
    for (int step = 0; step < steps; ++step) {
        const timespec nap{0, kIdleStepMs * 1'000'000L};
        (void)nanosleep(&nap, nullptr);
    }
    return attack::kRefused;
}

void wait_for_line()
{
    std::printf("ready %d\n", static_cast<int>(getpid()));
    (void)std::fflush(stdout);
    char line[16] = {};
    if (read(STDIN_FILENO, line, sizeof(line)) < 0) {
        attack::usage("tcp --wait needs a standard input");
    }
}

} // namespace

int main(int argc, char** argv)
{
    if (argc >= 2 && std::strcmp(argv[1], "--idle") == 0) {
        return idle(argc >= 3 ? kIdleStepsMax : 0);
    }
    const bool has_to_wait = argc == 3 && std::strcmp(argv[1], "--wait") == 0;
    if (argc != 2 && !has_to_wait) {
        attack::usage("tcp [--wait] ADDRESS | tcp --idle [long]");
    }
    const attack::Target target = attack::require_target(argv[argc - 1]);
    if (has_to_wait) {
        wait_for_line();
    }
    const attack::Stopwatch watch;
    const int fd = attack::make_socket(target.family(), SOCK_STREAM, 0, watch);
    attack::set_deadline(fd);
    if (connect(fd, target.raw(), target.size) != 0) {
        attack::refused("connect", errno, watch);
    }
    attack::exchange(fd, "tcp", watch);
}
