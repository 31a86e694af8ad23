// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/child.h"

#include "agent/base/unique_fd.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <array>

namespace hostward::guard {

namespace {

std::string read_until(int in, std::chrono::steady_clock::time_point deadline)
{
    std::string text;
    std::array<char, 4096> buffer{};
    while (true) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd wait{in, POLLIN, 0};
        if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) <= 0) {
            return text;
        }
        const auto size = ::read(in, buffer.data(), buffer.size());
        if (size <= 0) {
            return text;
        }
        text.append(buffer.data(), static_cast<std::size_t>(size));
    }
}

} // namespace

std::string run_child(const std::function<void(int out)>& work, std::chrono::seconds deadline)
{
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) < 0) {
        return "";
    }
    UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
        reader.reset();
        (void)::prctl(PR_SET_PDEATHSIG, SIGKILL); // a valid signal cannot fail
        if (::getppid() == parent) {
            work(writer.get());
        }
        ::_exit(0);
    }
    writer.reset();
    if (child < 0) {
        return "";
    }
    std::string text = read_until(reader.get(), std::chrono::steady_clock::now() + deadline);
    (void)::kill(child, SIGKILL); // finished already, or hanging in the kernel
    // A child in an uninterruptible wait cannot be reaped now; init does it when it comes back.
    for (int i = 0; i < 100 && ::waitpid(child, nullptr, WNOHANG) == 0; ++i) {
        (void)::poll(nullptr, 0, 10); // only passes the time
    }
    return text;
}

} // namespace hostward::guard
