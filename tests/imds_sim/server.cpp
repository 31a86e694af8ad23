// SPDX-License-Identifier: Apache-2.0
#include "tests/imds_sim/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace hostward::imds_sim {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAcceptPause{100}; ///< after accept failed for want of resources
constexpr int kMaxEvents = 64;

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

Result<Address> address_of(const std::string& text, std::uint16_t port)
{
    Address address;
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        std::memcpy(&address.storage, &v4, sizeof v4);
        address.size = sizeof v4;
        return address;
    }
    if (::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        std::memcpy(&address.storage, &v6, sizeof v6);
        address.size = sizeof v6;
        return address;
    }
    return invalid_error("not a numeric address: '" + text + "'");
}

std::uint16_t port_of(const sockaddr_storage& storage)
{
    if (storage.ss_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &storage, sizeof v6);
        return ntohs(v6.sin6_port);
    }
    sockaddr_in v4{};
    std::memcpy(&v4, &storage, sizeof v4);
    return ntohs(v4.sin_port);
}

std::string text_of(const sockaddr_storage& storage)
{
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (storage.ss_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &storage, sizeof v6);
        (void)::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size()); // the buffer is large enough
    } else {
        sockaddr_in v4{};
        std::memcpy(&v4, &storage, sizeof v4);
        (void)::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size()); // the buffer is large enough
    }
    return text.data();
}

sockaddr* generic(sockaddr_storage& storage)
{
    return reinterpret_cast<sockaddr*>(&storage); // the socket API's own idiom
}

void watch(int epoll, int operation, int fd, std::uint32_t events)
{
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    (void)::epoll_ctl(epoll, operation, fd, &event); // fails only for descriptors that are not ours
}

} // namespace

Result<std::unique_ptr<Server>> Server::open(const std::vector<std::string>& addresses, std::uint16_t port,
                                             Responder responder)
{
    auto server = std::make_unique<Server>(std::move(responder));
    server->epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
    if (!server->epoll_) {
        return system_error(errno, "create an epoll descriptor");
    }
    for (const auto& address : addresses) {
        TRY(server->listen_on(address, port));
    }
    return server;
}

Status Server::listen_on(const std::string& text, std::uint16_t port)
{
    TRY_ASSIGN(Address address, address_of(text, port));
    const std::string what = "listen on " + text + " port " + std::to_string(port);
    UniqueFd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) {
        return system_error(errno, what);
    }
    const int on = 1;
    (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on); // else bind tells
    if (address.storage.ss_family == AF_INET6) {
        (void)::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on); // else bind tells
    }
    if (::bind(fd.get(), generic(address.storage), address.size) != 0 || ::listen(fd.get(), kBacklog) != 0) {
        const int error_number = errno;
        const bool is_absent = error_number == EADDRNOTAVAIL;
        return system_error(error_number,
                            what + (is_absent ? " (is it on an interface that is up? IPv6 needs 'nodad')" : ""));
    }
    if (::getsockname(fd.get(), generic(address.storage), &address.size) != 0) {
        return system_error(errno, what);
    }
    ports_.push_back(port_of(address.storage));
    listeners_.push_back(std::move(fd));
    return success();
}

Status Server::run(int stop_fd)
{
    watch(epoll_.get(), EPOLL_CTL_ADD, stop_fd, EPOLLIN);
    std::array<epoll_event, kMaxEvents> events{};
    while (true) {
        watch_listeners(std::chrono::steady_clock::now());
        const int count =
            ::epoll_wait(epoll_.get(), events.data(), kMaxEvents, wait_ms(std::chrono::steady_clock::now()));
        if (count < 0 && errno != EINTR) {
            return system_error(errno, "wait for connections");
        }
        const auto now = std::chrono::steady_clock::now();
        for (int i = 0; i < count; ++i) {
            const epoll_event& event = events[static_cast<std::size_t>(i)];
            if (event.data.fd == stop_fd) {
                watch(epoll_.get(), EPOLL_CTL_DEL, stop_fd, 0);
                return success();
            }
            on_event(event.data.fd, event.events, now);
        }
        on_timers(now);
    }
}

void Server::on_event(int fd, std::uint32_t events, TimePoint now)
{
    if (const auto found = clients_.find(fd); found != clients_.end()) {
        found->second.connection->on_events(events, now);
        settle(fd, found->second);
        return;
    }
    if (std::ranges::any_of(listeners_, [&](const UniqueFd& listener) { return listener.get() == fd; })) {
        accept_from(fd, now);
    }
}

void Server::accept_from(int listener, TimePoint now)
{
    while (clients_.size() < kMaxConnections) {
        sockaddr_storage remote{};
        socklen_t size = sizeof remote;
        UniqueFd fd(::accept4(listener, generic(remote), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!fd) {
            const int error_number = errno;
            if (error_number == EMFILE || error_number == ENFILE || error_number == ENOBUFS || error_number == ENOMEM) {
                listen_again_at_ = now + kAcceptPause;
            }
            return;
        }
        const int on = 1;
        (void)::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // only slower without
        sockaddr_storage local{};
        size = sizeof local;
        (void)::getsockname(fd.get(), generic(local), &size); // a live socket has a name
        Peer peer{text_of(remote), port_of(remote), text_of(local)};
        const int number = fd.get();
        Client client;
        client.connection =
            std::make_unique<Connection>(std::move(fd), remote.ss_family == AF_INET6, std::move(peer), responder_, now);
        client.interest = client.connection->interest();
        watch(epoll_.get(), EPOLL_CTL_ADD, number, client.interest);
        clients_.insert_or_assign(number, std::move(client));
    }
}

/// Tells epoll the new interest, or forgets a closed connection. Invalidates `client` in that case.
void Server::settle(int fd, Client& client)
{
    if (client.connection->is_closed()) {
        clients_.erase(fd);
        return;
    }
    const auto interest = client.connection->interest();
    if (interest != client.interest) {
        client.interest = interest;
        watch(epoll_.get(), EPOLL_CTL_MOD, fd, interest);
    }
}

void Server::on_timers(TimePoint now)
{
    std::vector<int> due;
    for (const auto& [fd, client] : clients_) {
        if (client.connection->deadline() <= now) {
            due.push_back(fd);
        }
    }
    for (const int fd : due) {
        Client& client = clients_.at(fd);
        client.connection->on_time(now);
        settle(fd, client);
    }
}

/// Listens while there is room for one more connection: what does not fit waits in the backlog.
void Server::watch_listeners(TimePoint now)
{
    const bool wanted = clients_.size() < kMaxConnections && now >= listen_again_at_;
    if (wanted == is_listening_) {
        return;
    }
    is_listening_ = wanted;
    for (const auto& listener : listeners_) {
        watch(epoll_.get(), wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, listener.get(), EPOLLIN);
    }
}

int Server::wait_ms(TimePoint now) const
{
    auto next = now + milliseconds(60000);
    if (!is_listening_ && listen_again_at_ > now) {
        next = std::min(next, listen_again_at_);
    }
    for (const auto& [fd, client] : clients_) {
        next = std::min(next, client.connection->deadline());
    }
    const auto wait = std::chrono::ceil<milliseconds>(next - now).count();
    return static_cast<int>(std::clamp<std::int64_t>(wait, 0, 60000));
}

} // namespace hostward::imds_sim
