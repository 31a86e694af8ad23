// SPDX-License-Identifier: Apache-2.0
// A TCP socket does not tell the TTL of what it receives: IP_RECVTTL is for datagrams, IP_PKTOPTIONS has the TTL of a
// listener's SYN. Who may watch packets does so (ttl_watch.h). For others a socket filter, which needs no privilege on
// most kernels, sees the TTL and may shorten a segment: ours leaves as many bytes of the answer as its TTL says, so the
// number of bytes that arrive is the TTL. A shortened segment is taken only if the network card checked its sum.
#include "agent/report/imds_probe.h"

#include "agent/base/text.h"
#include "agent/base/unique_fd.h"
#include "agent/report/ttl_watch.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstring>

namespace hostward::report {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kConnectTimeout{1000};
constexpr std::chrono::milliseconds kAnswerTimeout{1000};
constexpr std::uint16_t kHttpPort = 80;
constexpr auto kUserAgent = "User-Agent: hostward-check\r\n";

struct Endpoint {
    sockaddr_storage address{};
    socklen_t length = 0;
    std::string host; ///< as the Host header has it
    [[nodiscard]] bool is_ipv6() const { return address.ss_family == AF_INET6; }
};

Error no_address(const std::string& endpoint)
{
    return invalid_error(quote(endpoint) + " is not http:// and an IP address: how it answers cannot be looked at");
}

/// `http://169.254.169.254`, `http://[fd00:ec2::254]:80`: how an answer arrives is a question about one address.
Result<Endpoint> parse_endpoint(const std::string& text)
{
    constexpr std::string_view kScheme = "http://";
    if (!text.starts_with(kScheme)) {
        return no_address(text);
    }
    std::string_view rest(text);
    rest.remove_prefix(kScheme.size());
    rest = rest.substr(0, rest.find('/'));
    Endpoint out;
    out.host = rest;
    const bool is_ipv6 = rest.starts_with('[');
    const auto end = is_ipv6 ? rest.find(']') : std::min(rest.find(':'), rest.size());
    if (end == std::string_view::npos) {
        return no_address(text);
    }
    const std::string address(rest.substr(is_ipv6 ? 1 : 0, end - (is_ipv6 ? 1 : 0)));
    const std::string_view after = rest.substr(is_ipv6 ? end + 1 : end);
    const auto port = after.empty()            ? std::optional(kHttpPort)
                      : after.starts_with(':') ? parse_number<std::uint16_t>(after.substr(1))
                                               : std::nullopt;
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (port && is_ipv6 && ::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(*port);
        out.length = sizeof(v6);
        std::memcpy(&out.address, &v6, sizeof(v6));
        return out;
    }
    if (port && !is_ipv6 && ::inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(*port);
        out.length = sizeof(v4);
        std::memcpy(&out.address, &v4, sizeof(v4));
        return out;
    }
    return no_address(text);
}

/// Leaves of a segment: all of one without data, and of one that begins another answer than 200; of one that begins
/// with 200 its header and TTL bytes; of others, such as the rest of the answer when it is sent again, nothing.
Status attach_ttl_filter(int socket, bool is_ipv6)
{
    const auto ttl_at = static_cast<std::uint32_t>(SKF_NET_OFF) + (is_ipv6 ? 7U : 8U);
    constexpr std::uint32_t kHttp = 0x48545450; // "HTTP"
    constexpr std::uint32_t kOk = 0x32303020;   // "200 "
    constexpr std::uint32_t kStatusAt = 9;
    std::array<sock_filter, 17> code{{
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 12),    // length of the TCP header, in words, in the upper half
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 2),    // in bytes
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x3c), //
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
        BPF_STMT(BPF_ALU | BPF_SUB | BPF_X, 0), // bytes of data
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 8, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kProbeHopLimitMax, 0, 8), // fewer could not carry the number
        BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kHttp, 0, 6),
        BPF_STMT(BPF_LD | BPF_W | BPF_IND, kStatusAt),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kOk, 0, 3),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ttl_at),
        BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
        BPF_STMT(BPF_RET | BPF_A, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
        BPF_STMT(BPF_RET | BPF_K, 0),
    }};
    const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
    if (::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0) {
        return system_error(errno, "attaching a filter to the connection to the metadata service");
    }
    return success();
}

/// Waits until the socket can be read or written (POLLIN, POLLOUT); false: not in time.
Result<bool> is_ready(int socket, short events, Clock::time_point until)
{
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
        pollfd waiting{socket, events, 0};
        const int found = ::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
        if (found >= 0) {
            return found > 0;
        }
        if (errno != EINTR) {
            return system_error(errno, "waiting for the metadata service");
        }
    }
}

Error not_reached(int error_number, const Endpoint& endpoint)
{
    auto error = system_error(error_number, "connecting to the metadata service at " + endpoint.host);
    if (error.kind == ErrorKind::Denied) {
        error.text += " (the guard's policy, or a firewall)";
    }
    return error;
}

Result<UniqueFd> connect_to(const Endpoint& endpoint, bool with_ttl_filter)
{
    UniqueFd socket(::socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) {
        return system_error(errno, "making a socket for the metadata service");
    }
    if (with_ttl_filter) {
        TRY(attach_ttl_filter(socket.get(), endpoint.is_ipv6()));
    }
    const auto* address = reinterpret_cast<const sockaddr*>(&endpoint.address); // NOLINT(*-reinterpret-cast): its API
    if (::connect(socket.get(), address, endpoint.length) == 0) {
        return socket;
    }
    if (errno != EINPROGRESS) {
        return not_reached(errno, endpoint);
    }
    TRY_ASSIGN(const bool is_done, is_ready(socket.get(), POLLOUT, Clock::now() + kConnectTimeout));
    if (!is_done) {
        return not_reached(ETIMEDOUT, endpoint);
    }
    int failure = 0;
    socklen_t length = sizeof(failure);
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &failure, &length) != 0) {
        return system_error(errno, "asking for the state of the connection to the metadata service");
    }
    if (failure != 0) {
        return not_reached(failure, endpoint);
    }
    return socket;
}

/// Sends `request` and gives the first bytes of the answer, at least `wanted` unless the peer ends it.
Result<std::string> first_bytes(int socket, const std::string& request, std::size_t wanted)
{
    // It is one short write into an empty buffer: it is taken whole, or the connection is gone.
    const auto sent = ::send(socket, request.data(), request.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(request.size())) {
        return system_error(sent < 0 ? errno : EIO, "asking the metadata service");
    }
    const auto until = Clock::now() + kAnswerTimeout;
    std::string answer;
    while (answer.size() < wanted) {
        TRY_ASSIGN(const bool is_there, is_ready(socket, POLLIN, until));
        if (!is_there) {
            return Error{ErrorKind::System, ETIMEDOUT,
                         "the metadata service took the connection and did not answer: in a container, its hop limit"};
        }
        std::array<char, 512> buffer{};
        const auto got = ::recv(socket, buffer.data(), buffer.size(), 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            continue;
        }
        if (got <= 0) {
            return system_error(got < 0 ? errno : ECONNRESET, "reading the metadata service's answer");
        }
        answer.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return answer;
}

constexpr std::string_view kOkAnswer = "HTTP/1.1 200";

/// The token lives a second and is never read.
std::string token_request(const Endpoint& endpoint)
{
    return "PUT /latest/api/token HTTP/1.1\r\nHost: " + endpoint.host + "\r\n" + kUserAgent +
           "X-aws-ec2-metadata-token-ttl-seconds: 1\r\nContent-Length: 0\r\n\r\n";
}

/// Of an answer that is long enough to tell.
Status require_ok(const std::string& answer)
{
    if (answer.size() < kOkAnswer.size() || answer.starts_with(kOkAnswer)) {
        return success();
    }
    constexpr std::size_t kStatusSize = 3;
    return Error{ErrorKind::System, 0,
                 "the metadata service gave no token: HTTP status " +
                     answer.substr(kOkAnswer.size() - kStatusSize, kStatusSize)};
}

TcpPeer peer_of(const Endpoint& endpoint)
{
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    std::memcpy(&v4, &endpoint.address, sizeof(v4));
    std::memcpy(&v6, &endpoint.address, sizeof(v6));
    const auto bytes = [](const auto& address) {
        std::string out(sizeof(address), '\0');
        std::memcpy(out.data(), &address, sizeof(address));
        return out;
    };
    return endpoint.is_ipv6() ? TcpPeer{bytes(v6.sin6_addr), ntohs(v6.sin6_port)}
                              : TcpPeer{bytes(v4.sin_addr), ntohs(v4.sin_port)};
}

Result<std::uint16_t> local_port(int socket)
{
    sockaddr_in6 address{}; // of IPv4 the port is at the same place
    socklen_t length = sizeof(address);
    auto* own = reinterpret_cast<sockaddr*>(&address); // NOLINT(*-reinterpret-cast): its API
    if (::getsockname(socket, own, &length) != 0) {
        return system_error(errno, "asking for the port of the connection to the metadata service");
    }
    return ntohs(address.sin6_port);
}

Result<int> watched_ttl(const Endpoint& endpoint, TtlWatch& watch)
{
    TRY_ASSIGN(const UniqueFd socket, connect_to(endpoint, false));
    TRY_ASSIGN(const std::uint16_t port, local_port(socket.get()));
    TRY_ASSIGN(const std::string answer, first_bytes(socket.get(), token_request(endpoint), kOkAnswer.size()));
    TRY(require_ok(answer));
    return watch.ttl_of(std::string(kOkAnswer), port, Clock::now() + kAnswerTimeout);
}

Result<int> filtered_ttl(const Endpoint& endpoint)
{
    TRY_ASSIGN(const UniqueFd socket, connect_to(endpoint, true));
    TRY_ASSIGN(const std::string answer, first_bytes(socket.get(), token_request(endpoint), 1));
    TRY(require_ok(answer));
    return static_cast<int>(answer.size());
}

} // namespace

Result<int> probe_without_token(const ImdsOptions& options)
{
    if (options.disabled) {
        return Error{ErrorKind::Unsupported, 0, "AWS_EC2_METADATA_DISABLED is set: the metadata service is not asked"};
    }
    TRY_ASSIGN(const Endpoint endpoint, parse_endpoint(options.endpoint));
    TRY_ASSIGN(const UniqueFd socket, connect_to(endpoint, false));
    constexpr std::string_view kForm = "HTTP/1.1 200";
    TRY_ASSIGN(const std::string answer, first_bytes(socket.get(),
                                                     "GET /latest/meta-data/ HTTP/1.1\r\nHost: " + endpoint.host +
                                                         "\r\n" + kUserAgent + "Connection: close\r\n\r\n",
                                                     kForm.size()));
    const auto status = parse_number<int>(std::string_view(answer).substr(kForm.size() - 3, 3));
    if (!answer.starts_with("HTTP/1.") || answer[kForm.size() - 4] != ' ' || !status || *status < 100) {
        return invalid_error("what answers at " + endpoint.host + " does not speak HTTP");
    }
    return *status;
}

Result<int> probe_hop_limit(const ImdsOptions& options)
{
    if (options.disabled) {
        return Error{ErrorKind::Unsupported, 0, "AWS_EC2_METADATA_DISABLED is set: the metadata service is not asked"};
    }
    TRY_ASSIGN(const Endpoint endpoint, parse_endpoint(options.endpoint));
    auto watch = TtlWatch::open(peer_of(endpoint));
    TRY_ASSIGN(const int ttl, watch ? watched_ttl(endpoint, *watch) : filtered_ttl(endpoint));
    return std::min(ttl, kProbeHopLimitMax);
}

} // namespace hostward::report
