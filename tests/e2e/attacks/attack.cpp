// SPDX-License-Identifier: Apache-2.0
#include "attack.h"

#include <arpa/inet.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace attack {

namespace {

constexpr std::string_view kRequest = "GET /latest/meta-data/ HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n";

const char* errno_name(int error)
{
    const char* name = strerrorname_np(error);
    return name == nullptr ? "?" : name;
}

int print_length(std::string_view text) { return static_cast<int>(text.size()); }

} // namespace

const sockaddr* Target::raw() const { return std::bit_cast<const sockaddr*>(&address); }

std::optional<Target> parse_target(const char* text, std::uint16_t port)
{
    Target target;
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        target.size = sizeof(v4);
        std::memcpy(&target.address, &v4, sizeof(v4));
        return target;
    }
    if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        target.size = sizeof(v6);
        std::memcpy(&target.address, &v6, sizeof(v6));
        return target;
    }
    return std::nullopt;
}

Target require_target(const char* text, std::uint16_t port)
{
    const auto target = parse_target(text, port);
    if (!target) {
        usage("ADDRESS must be a numeric IPv4 or IPv6 address");
    }
    return *target;
}

Target without_port(const Target& target)
{
    Target copy = target;
    sockaddr_in address{}; // sin_port and sin6_port stand at the same place
    std::memcpy(&address, &copy.address, sizeof(address));
    address.sin_port = 0;
    std::memcpy(&copy.address, &address, sizeof(address));
    return copy;
}

std::uint64_t require_number(const char* text)
{
    std::uint64_t value = 0;
    const char* end = text + std::strlen(text);
    const auto [stop, status] = std::from_chars(text, end, value);
    if (status != std::errc{} || stop != end) {
        usage("a decimal number is needed");
    }
    return value;
}

std::int64_t Stopwatch::elapsed_us() const
{
    const auto elapsed = std::chrono::steady_clock::now() - start_;
    return std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count();
}

void reached(std::string_view how, std::string_view answer)
{
    const std::string_view line = answer.substr(0, answer.find_first_of("\r\n"));
    std::printf("reached %.*s: %zu bytes, \"%.*s\"\n", print_length(how), how.data(), answer.size(), print_length(line),
                line.data());
    std::exit(kReached);
}

void refused(std::string_view step, int error, const Stopwatch& watch)
{
    std::printf("refused %.*s: %s after %lld us\n", print_length(step), step.data(), errno_name(error),
                static_cast<long long>(watch.elapsed_us()));
    std::exit(kRefused);
}

void cannot_try(std::string_view why, int error)
{
    std::printf("cannot try %.*s: %s\n", print_length(why), why.data(), errno_name(error));
    std::exit(kCannotTry);
}

void usage(const char* text)
{
    std::fprintf(stderr, "usage: %s\n", text);
    std::exit(kUsage);
}

int make_socket(int family, int type, int protocol, const Stopwatch& watch)
{
    const int fd = socket(family, type | SOCK_CLOEXEC, protocol);
    const int error = errno;
    if (fd >= 0) {
        return fd;
    }
    if (error == EPERM || error == EACCES) {
        refused("socket", error, watch);
    }
    cannot_try("socket", error);
}

void set_deadline(int fd)
{
    timeval limit{};
    limit.tv_sec = kDeadlineMs / 1000;
    limit.tv_usec = (kDeadlineMs % 1000) * 1000L;
    // A socket type without timeouts answers at once anyway.
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

std::string_view request() { return kRequest; }

std::int64_t try_exchange(int fd, std::string& answer)
{
    const ssize_t sent = send(fd, kRequest.data(), kRequest.size(), MSG_NOSIGNAL);
    if (sent < 0) {
        return -errno;
    }
    std::array<char, 2048> buffer{};
    const ssize_t size = recv(fd, buffer.data(), buffer.size(), 0);
    if (size < 0) {
        return -errno;
    }
    if (size == 0) {
        return -ECONNRESET; // the far end closed without an answer
    }
    answer.assign(buffer.data(), static_cast<std::size_t>(size));
    return size;
}

void exchange(int fd, std::string_view how, const Stopwatch& watch)
{
    std::string answer;
    const std::int64_t size = try_exchange(fd, answer);
    if (size < 0) {
        refused("exchange", static_cast<int>(-size), watch);
    }
    reached(how, answer);
}

} // namespace attack
