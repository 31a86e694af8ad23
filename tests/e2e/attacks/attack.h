// SPDX-License-Identifier: Apache-2.0
// What every attack program shares: how it reports, how it names its target, how it speaks to the service.
// The programs are linked statically so that they run in a chroot, from a memfd and in a bare virtual machine.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace attack {

/// The exit code is the contract with the suite.
enum Exit : int {
    kReached = 0,    ///< the service answered; the evidence is on stdout
    kRefused = 1,    ///< nothing came through; errno and elapsed time are on stdout
    kUsage = 2,      ///< wrong arguments
    kMixed = 3,      ///< several ways were tried, some reached, some not
    kCannotTry = 77, ///< this kernel or host cannot even try it; the reason is on stdout
};

inline constexpr std::uint16_t kPort = 80;
/// How long an answer may take. A dropped SYN is repeated once within it.
inline constexpr int kDeadlineMs = 2000;

struct Target {
    sockaddr_storage address{};
    socklen_t size = 0;
    [[nodiscard]] const sockaddr* raw() const;
    [[nodiscard]] int family() const { return address.ss_family; }
};

/// Numeric IPv4 or IPv6 address in its canonical notation.
[[nodiscard]] std::optional<Target> parse_target(const char* text, std::uint16_t port = kPort);

/// parse_target() or exit kUsage.
[[nodiscard]] Target require_target(const char* text, std::uint16_t port = kPort);

/// The same address with port 0.
[[nodiscard]] Target without_port(const Target& target);

/// The whole of `text` as a number, or exit kUsage.
[[nodiscard]] std::uint64_t require_number(const char* text);

class Stopwatch {
public:
    [[nodiscard]] std::int64_t elapsed_us() const;

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// These print one line and exit.
[[noreturn]] void reached(std::string_view how, std::string_view answer);
[[noreturn]] void refused(std::string_view step, int error, const Stopwatch& watch);
[[noreturn]] void cannot_try(std::string_view why, int error);
[[noreturn]] void usage(const char* text);

/// socket(2), or exit: EPERM and EACCES are a refusal, anything else means that the kernel lacks it.
[[nodiscard]] int make_socket(int family, int type, int protocol, const Stopwatch& watch);

/// Send, receive and connect give up after kDeadlineMs.
void set_deadline(int fd);

/// The request as it goes over the wire.
[[nodiscard]] std::string_view request();

/// Sends the request on a connected stream and reads the answer, then exits with the outcome.
[[noreturn]] void exchange(int fd, std::string_view how, const Stopwatch& watch);

/// The same without exiting: bytes of the answer, or a negative errno.
[[nodiscard]] std::int64_t try_exchange(int fd, std::string& answer);

} // namespace attack
