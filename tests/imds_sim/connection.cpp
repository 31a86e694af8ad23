// SPDX-License-Identifier: Apache-2.0
#include "tests/imds_sim/connection.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <string_view>

namespace hostward::imds_sim {

Connection::Connection(UniqueFd fd, bool is_v6, Peer peer, Responder& responder, TimePoint now)
    : fd_(std::move(fd)), is_v6_(is_v6), peer_(std::move(peer)), responder_(responder), deadline_(now + kIdleLimit)
{
}

std::uint32_t Connection::interest() const
{
    switch (state_) {
    case State::Reading:
    case State::Lingering: return EPOLLIN;
    case State::Writing: return EPOLLOUT;
    case State::Hung: return EPOLLRDHUP;
    case State::Delayed:
    case State::Closed: return 0;
    }
    return 0;
}

void Connection::on_events(std::uint32_t events, TimePoint now)
{
    if ((events & (EPOLLERR | EPOLLHUP)) != 0 || (state_ == State::Hung && (events & EPOLLRDHUP) != 0)) {
        enter(State::Closed, now);
        return;
    }
    if (state_ == State::Lingering) {
        drop_input();
    } else if (state_ == State::Reading && (events & EPOLLIN) != 0) {
        read_some(now);
    }
    advance(now);
}

void Connection::on_time(TimePoint now)
{
    if (now < deadline_) {
        return;
    }
    if (state_ == State::Delayed) {
        advance(now);
    } else if (state_ == State::Reading && parser_.is_inside_request()) {
        adopt(responder_.refuse({408, "request not complete in time"}, peer_), now);
        advance(now);
    } else {
        enter(State::Closed, now);
    }
}

void Connection::enter(State state, TimePoint deadline)
{
    state_ = state;
    deadline_ = deadline;
    if (state == State::Closed) {
        fd_.reset();
    }
}

/// Goes on until something outside must happen. Each step that returns true used up input or output.
void Connection::advance(TimePoint now)
{
    while (step(now)) {
    }
}

bool Connection::step(TimePoint now)
{
    switch (state_) {
    case State::Reading: return parse(now);
    case State::Delayed: return now >= deadline_ && begin_write(now);
    case State::Writing: return write_some(now);
    case State::Hung:
    case State::Lingering:
    case State::Closed: return false;
    }
    return false;
}

bool Connection::parse(TimePoint now)
{
    std::string_view rest = input_;
    const auto progress = parser_.consume(rest);
    input_.erase(0, input_.size() - rest.size());
    if (progress == RequestParser::Progress::Failed) {
        adopt(responder_.refuse(parser_.malformed(), peer_), now);
        return true;
    }
    if (progress == RequestParser::Progress::Ready) {
        adopt(responder_.respond(parser_.request(), peer_), now);
        parser_.reset();
        return true;
    }
    if (saw_end_) {
        enter(State::Closed, now);
        return false;
    }
    if (parser_.take_continue()) {
        output_ = "HTTP/1.1 100 Continue\r\n\r\n";
        sent_ = 0;
        close_after_write_ = false;
        enter(State::Writing, now + kIdleLimit);
        return true;
    }
    return false;
}

void Connection::adopt(Plan plan, TimePoint now)
{
    plan_ = std::move(plan);
    if (plan_.kind == FaultKind::Hang) {
        enter(State::Hung, now + kHangLimit);
        return;
    }
    enter(State::Delayed, now + std::chrono::milliseconds(plan_.delay_ms));
}

bool Connection::begin_write(TimePoint now)
{
    if (plan_.kind == FaultKind::Reset) {
        const linger abort{1, 0};
        (void)::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &abort,
                           sizeof abort); // else it is a FIN: the test sees it
        enter(State::Closed, now);
        return false;
    }
    if (!set_hop_limit(plan_.hop_limit)) {
        enter(State::Delayed, now + kHopLimitRetry);
        return false;
    }
    output_ = std::move(plan_.wire);
    sent_ = 0;
    close_after_write_ = plan_.close_after;
    enter(State::Writing, now + kIdleLimit);
    return true;
}

bool Connection::write_some(TimePoint now)
{
    while (sent_ < output_.size()) {
        const auto count = ::send(fd_.get(), output_.data() + sent_, output_.size() - sent_, MSG_NOSIGNAL);
        if (count < 0) {
            if (errno != EAGAIN && errno != EINTR) {
                enter(State::Closed, now);
            }
            return false;
        }
        sent_ += static_cast<std::size_t>(count);
        deadline_ = now + kIdleLimit;
    }
    if (!close_after_write_) {
        enter(State::Reading, now + kIdleLimit);
        return true;
    }
    // Closing with unread input would reset the connection and may take the answer away from the client.
    (void)::shutdown(fd_.get(), SHUT_WR); // fails only when the client is gone, which the next read tells
    enter(State::Lingering, now + kLingerLimit);
    return false;
}

void Connection::read_some(TimePoint now)
{
    std::array<char, kReadBytes> bytes; // NOLINT(*-member-init): filled by read
    const auto count = ::read(fd_.get(), bytes.data(), bytes.size());
    if (count > 0) {
        input_.append(bytes.data(), static_cast<std::size_t>(count));
        deadline_ = now + kIdleLimit;
    } else if (count == 0) {
        saw_end_ = true;
    } else if (errno != EAGAIN && errno != EINTR) {
        enter(State::Closed, now);
    }
}

void Connection::drop_input()
{
    std::array<char, kReadBytes> bytes; // NOLINT(*-member-init): filled by read
    const auto count = ::read(fd_.get(), bytes.data(), bytes.size());
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) {
        enter(State::Closed, deadline_);
    }
}

/// The hop limit belongs to the socket, and a retransmission takes the one of its moment. So it changes only once
/// the client has acknowledged all that was sent before; false: not yet.
bool Connection::set_hop_limit(int hop_limit)
{
    if (hop_limit == hop_limit_) {
        return true;
    }
    int unacknowledged = 0;
    if (::ioctl(fd_.get(), SIOCOUTQ, &unacknowledged) == 0 && unacknowledged > 0) {
        return false;
    }
    const int value = hop_limit == 0 ? -1 : hop_limit; // -1: back to the default
    const int level = is_v6_ ? IPPROTO_IPV6 : IPPROTO_IP;
    const int option = is_v6_ ? IPV6_UNICAST_HOPS : IP_TTL;
    (void)::setsockopt(fd_.get(), level, option, &value, sizeof value); // values are checked: cannot be refused
    hop_limit_ = hop_limit;
    return true;
}

} // namespace hostward::imds_sim
