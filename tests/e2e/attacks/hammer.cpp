// SPDX-License-Identifier: Apache-2.0
// hammer tcp|udp ADDRESS COUNT THREADS [SOURCE]: tries COUNT times per thread without pause, or until standard input
// ends when COUNT is 0, and prints one line:
//   allowed=N denied=N other=N other_errno=NAME median_us=N max_us=N elapsed_us=N
// denied is EPERM alone; anything else that fails is `other`. Exit 0 when something was allowed, else 1.
#include "attack.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr auto kUsageText = "hammer tcp|udp ADDRESS COUNT THREADS [SOURCE]";
constexpr std::int64_t kForeverUs = 600LL * 1000 * 1000;
constexpr std::uint64_t kThreadsMax = 64;
constexpr std::size_t kSamplesMax = 1U << 20; ///< latencies kept per thread

struct Tally {
    std::uint64_t allowed = 0;
    std::uint64_t denied = 0;
    std::uint64_t other = 0;
    int other_error = 0;
    std::vector<std::uint32_t> latencies_us;
};

/// 0 or an errno.
int connect_once(const attack::Target& target, const attack::Target* source)
{
    const int fd = socket(target.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    attack::set_deadline(fd);
    const linger reset{1, 0}; // no TIME_WAIT: thousands of connects would run out of ports
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    const int one = 1;
    if (source != nullptr && (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)) != 0 ||
                              bind(fd, source->raw(), source->size) != 0)) {
        attack::cannot_try("bind the source address", errno);
    }
    const int error = connect(fd, target.raw(), target.size) == 0 ? 0 : errno;
    (void)close(fd);
    return error;
}

void count(Tally& tally, int error, std::int64_t elapsed_us)
{
    tally.allowed += error == 0 ? 1 : 0;
    tally.denied += error == EPERM ? 1 : 0;
    if (error != 0 && error != EPERM) {
        ++tally.other;
        tally.other_error = error;
    }
    if (tally.latencies_us.size() < kSamplesMax) {
        tally.latencies_us.push_back(static_cast<std::uint32_t>(elapsed_us));
    }
}

void hammer(const attack::Target& target, const attack::Target* source, bool is_tcp, std::uint64_t rounds,
            const std::atomic<bool>& is_over, Tally& tally)
{
    const int datagram = is_tcp ? -1 : socket(target.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (std::uint64_t i = 0; (rounds == 0 || i < rounds) && !is_over; ++i) {
        const attack::Stopwatch watch;
        int error = 0;
        if (is_tcp) {
            error = connect_once(target, source);
        } else {
            error = sendto(datagram, "x", 1, 0, target.raw(), target.size) < 0 ? errno : 0;
        }
        count(tally, error, watch.elapsed_us());
    }
    (void)close(datagram);
}

/// Ends the hammering when standard input ends, or after kForeverUs.
void await_end_of_input(std::atomic<bool>& is_over)
{
    const attack::Stopwatch watch;
    while (watch.elapsed_us() < kForeverUs) {
        pollfd input{STDIN_FILENO, POLLIN, 0};
        char byte = 0;
        if (poll(&input, 1, 1000) > 0 && read(STDIN_FILENO, &byte, 1) <= 0) {
            break;
        }
    }
    is_over = true;
}

Tally merge(const std::vector<Tally>& parts)
{
    Tally sum;
    for (const Tally& part : parts) {
        sum.allowed += part.allowed;
        sum.denied += part.denied;
        sum.other += part.other;
        sum.other_error = part.other_error != 0 ? part.other_error : sum.other_error;
        sum.latencies_us.insert(sum.latencies_us.end(), part.latencies_us.begin(), part.latencies_us.end());
    }
    std::ranges::sort(sum.latencies_us);
    return sum;
}

void print(const Tally& sum, std::int64_t elapsed_us)
{
    const auto& sorted = sum.latencies_us;
    std::printf("allowed=%llu denied=%llu other=%llu other_errno=%s median_us=%u max_us=%u elapsed_us=%lld\n",
                static_cast<unsigned long long>(sum.allowed), static_cast<unsigned long long>(sum.denied),
                static_cast<unsigned long long>(sum.other), strerrorname_np(sum.other_error),
                sorted.empty() ? 0 : sorted[sorted.size() / 2], sorted.empty() ? 0 : sorted.back(),
                static_cast<long long>(elapsed_us));
}

} // namespace

int main(int argc, char** argv)
{
    const std::uint64_t threads = argc == 5 || argc == 6 ? attack::require_number(argv[4]) : 0;
    if (threads < 1 || threads > kThreadsMax) {
        attack::usage(kUsageText);
    }
    const bool is_tcp = std::string_view(argv[1]) == "tcp";
    const attack::Target target = attack::require_target(argv[2]);
    const std::uint64_t rounds = attack::require_number(argv[3]);
    const attack::Target source = argc == 6 ? attack::require_target(argv[5], 0) : attack::Target{};
    std::atomic<bool> is_over = false;
    std::vector<Tally> parts(threads);
    const attack::Stopwatch watch;
    {
        std::vector<std::jthread> workers;
        for (Tally& part : parts) {
            workers.emplace_back([&] { hammer(target, argc == 6 ? &source : nullptr, is_tcp, rounds, is_over, part); });
        }
        std::printf("started\n");
        (void)std::fflush(stdout);
        if (rounds == 0) {
            await_end_of_input(is_over);
        }
    }
    const Tally sum = merge(parts);
    print(sum, watch.elapsed_us());
    return sum.allowed > 0 ? attack::kReached : attack::kRefused;
}
