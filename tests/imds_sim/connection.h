// SPDX-License-Identifier: Apache-2.0
// One client connection as a small state machine over a non-blocking socket.
#pragma once

#include "agent/base/unique_fd.h"
#include "tests/imds_sim/responder.h"

#include <chrono>
#include <cstdint>
#include <string>

namespace hostward::imds_sim {

constexpr std::chrono::milliseconds kIdleLimit{75000};  ///< without a byte either way, answers delayed apart
constexpr std::chrono::milliseconds kHangLimit{600000}; ///< how long a hung request is kept
constexpr std::chrono::milliseconds kLingerLimit{1000}; ///< for the client to read the last answer
constexpr std::chrono::milliseconds kHopLimitRetry{2};  ///< while bytes sent with another hop limit are unacknowledged
constexpr std::size_t kReadBytes = 16384;

class Connection {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    Connection(UniqueFd fd, bool is_v6, Peer peer, Responder& responder, TimePoint now);

    /// What epoll should wait for.
    [[nodiscard]] std::uint32_t interest() const;
    /// When on_time() must be called at the latest.
    [[nodiscard]] TimePoint deadline() const { return deadline_; }
    [[nodiscard]] bool is_closed() const { return state_ == State::Closed; }
    [[nodiscard]] int fd() const { return fd_.get(); }

    void on_events(std::uint32_t events, TimePoint now);
    void on_time(TimePoint now);

private:
    enum class State {
        Reading,
        Delayed, ///< the plan waits for its time, or for the hop limit to be free to change
        Writing,
        Hung,
        Lingering, ///< our side is shut; input is dropped until the client closes
        Closed,
    };

    void enter(State state, TimePoint deadline);
    void advance(TimePoint now);
    [[nodiscard]] bool step(TimePoint now);
    [[nodiscard]] bool parse(TimePoint now);
    void adopt(Plan plan, TimePoint now);
    [[nodiscard]] bool begin_write(TimePoint now);
    [[nodiscard]] bool write_some(TimePoint now);
    void read_some(TimePoint now);
    void drop_input();
    [[nodiscard]] bool set_hop_limit(int hop_limit);

    UniqueFd fd_;
    bool is_v6_;
    Peer peer_;
    Responder& responder_;
    State state_ = State::Reading;
    TimePoint deadline_;
    RequestParser parser_;
    std::string input_;
    bool saw_end_ = false; ///< the client will send no more
    Plan plan_;
    std::string output_;
    std::size_t sent_ = 0;
    bool close_after_write_ = false;
    int hop_limit_ = 0; ///< what the socket has; 0: the system's default
};

} // namespace hostward::imds_sim
