// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/far_end.h"

#include "tests/e2e/support/far_end_loop.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

namespace hostward::e2e {

namespace {

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

[[noreturn]] void become_far_end(int network, int channel, FarEndCounters& counters)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (setns(network, CLONE_NEWNET) == 0) {
        serve_far_end(channel, counters);
    }
    _exit(0); // a closed channel tells the parent
}

} // namespace

Result<FarEnd> FarEnd::start(int network)
{
    int ends[2] = {-1, -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return system_error(errno, "socketpair");
    }
    FarEnd far;
    far.channel_.reset(ends[0]);
    const UniqueFd other(ends[1]);
    void* memory = mmap(nullptr, sizeof(FarEndCounters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return system_error(errno, "mmap");
    }
    far.counters_ = static_cast<FarEndCounters*>(memory); // zero bytes are valid counters
    far.pid_ = fork();
    if (far.pid_ < 0) {
        return system_error(errno, "fork");
    }
    if (far.pid_ == 0) {
        far.channel_.reset();
        become_far_end(network, other.get(), *far.counters_);
    }
    char ready = 0;
    if (recv(far.channel_.get(), &ready, 1, 0) != 1) {
        return Error{ErrorKind::System, 0, "the far end could not open its sockets"};
    }
    return far;
}

FarEnd::FarEnd(FarEnd&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), channel_(std::move(other.channel_)),
      counters_(std::exchange(other.counters_, nullptr))
{
}

FarEnd::~FarEnd()
{
    if (pid_ > 0) {
        (void)kill(pid_, SIGKILL);
        (void)waitpid(pid_, nullptr, 0);
    }
    if (counters_ != nullptr) {
        (void)munmap(counters_, sizeof(*counters_));
    }
}

void FarEnd::settle()
{
    char byte = 's';
    (void)send(channel_.get(), &byte, 1, MSG_NOSIGNAL);
    (void)recv(channel_.get(), &byte, 1, 0); // a dead far end shows as an attack that never works
}

void FarEnd::reset()
{
    settle();
    counters_->openings = 0;
    counters_->control = 0;
    counters_->connections = 0;
    counters_->requests = 0;
}

std::uint64_t FarEnd::arrivals()
{
    settle();
    return counters_->openings + counters_->connections + counters_->requests;
}

std::string FarEnd::text() const
{
    return "openings=" + std::to_string(counters_->openings) + " control=" + std::to_string(counters_->control) +
           " connections=" + std::to_string(counters_->connections) +
           " requests=" + std::to_string(counters_->requests);
}

} // namespace hostward::e2e
