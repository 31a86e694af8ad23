// SPDX-License-Identifier: Apache-2.0
// The listening sockets and the one epoll loop. One thread, bounded connections.
#pragma once

#include "tests/imds_sim/connection.h"

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace hostward::imds_sim {

constexpr std::size_t kMaxConnections = 768; ///< below the usual limit of 1024 descriptors; more wait in the backlog
constexpr int kBacklog = 1024;

class Server {
public:
    /// Does not listen yet: use open().
    explicit Server(Responder responder) : responder_(std::move(responder)) {}
    /// Listens on every address (numeric, IPv4 or IPv6). Port 0 takes any free port, one per address.
    [[nodiscard]] static Result<std::unique_ptr<Server>> open(const std::vector<std::string>& addresses,
                                                              std::uint16_t port, Responder responder);

    /// The port of each address, in their order.
    [[nodiscard]] const std::vector<std::uint16_t>& ports() const { return ports_; }

    /// Serves until `stop_fd` becomes readable.
    [[nodiscard]] Status run(int stop_fd);

private:
    using TimePoint = Connection::TimePoint;
    struct Client {
        std::unique_ptr<Connection> connection;
        std::uint32_t interest = 0; ///< what epoll was told
    };

    [[nodiscard]] Status listen_on(const std::string& address, std::uint16_t port);
    void accept_from(int listener, TimePoint now);
    void settle(int fd, Client& client);
    void on_event(int fd, std::uint32_t events, TimePoint now);
    void on_timers(TimePoint now);
    void watch_listeners(TimePoint now);
    [[nodiscard]] int wait_ms(TimePoint now) const;

    Responder responder_;
    UniqueFd epoll_;
    std::vector<UniqueFd> listeners_;
    std::vector<std::uint16_t> ports_;
    bool is_listening_ = false; ///< the listeners are in the epoll set
    TimePoint listen_again_at_{};
    std::unordered_map<int, Client> clients_;
};

} // namespace hostward::imds_sim
