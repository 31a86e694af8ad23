// SPDX-License-Identifier: Apache-2.0
// Programs run as somebody, somewhere: identity, cgroup and network namespace are set before the first instruction.
#pragma once

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::e2e {

using Milliseconds = std::chrono::milliseconds;

inline constexpr uid_t kRoot = 0;
inline constexpr uid_t kNobody = 65534;

struct Identity {
    uid_t uid = kRoot;
    gid_t gid = 0;
    std::vector<gid_t> groups;
    std::uint64_t capabilities = 0; ///< bits of CAP_*: what another user than root has
};
[[nodiscard]] inline Identity root() { return {}; }
[[nodiscard]] inline Identity user(uid_t uid) { return {uid, uid, {}, 0}; }
[[nodiscard]] inline Identity nobody() { return user(kNobody); }
/// nobody with CAP_NET_RAW: what a process with packet sockets needs, and no more.
[[nodiscard]] Identity nobody_with_raw_sockets();

struct Launch {
    std::vector<std::string> argv;
    Identity who;
    int network = -1;               ///< network namespace; -1: the test's own
    std::string cgroup;             ///< folder; empty: the test's own
    bool is_born_in_cgroup = false; ///< by CLONE_INTO_CGROUP where the kernel has it, else it joins before exec
    std::string input;              ///< run() only: all of its standard input
    Milliseconds timeout{20'000};
};

struct Outcome {
    int exit_code = -1; ///< -1: it did not exit by itself
    int signal = 0;
    bool is_timed_out = false;
    std::string out;
    std::string err;
    [[nodiscard]] std::string text() const; ///< all of it on few lines, for messages
};

/// A program in the background. Killed with its process group and reaped at the latest by the destructor.
class Child {
public:
    [[nodiscard]] static Result<Child> start(const Launch& launch);
    Child(Child&& other) noexcept;
    Child& operator=(Child&& other) noexcept;
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child();

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] Status write(std::string_view text);
    void close_input() { input_.reset(); }

    /// The next line of standard output (or error) that contains `needle`; earlier lines are kept for finish().
    [[nodiscard]] Result<std::string> await_line(std::string_view needle, Milliseconds timeout, bool on_error = false);

    /// Closes its input and waits; kills it when the time is over.
    [[nodiscard]] Outcome finish(Milliseconds timeout);
    void signal(int number) const;

private:
    Child() = default;
    void read_some(Milliseconds timeout, bool& is_over);
    void drain();

    pid_t pid_ = -1;
    UniqueFd handle_; ///< pidfd: readable once it has ended
    UniqueFd input_;
    UniqueFd out_;
    UniqueFd err_;
    std::string out_text_;
    std::string err_text_;
};

/// start() and finish().
[[nodiscard]] Result<Outcome> run(const Launch& launch);

} // namespace hostward::e2e
