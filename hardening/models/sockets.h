// SPDX-License-Identifier: Apache-2.0
// Sockets that wait for somebody from elsewhere, as the kernel lists them in /proc/net.
#pragma once

#include "agent/base/result.h"
#include "hardening/models/facts.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct ListeningSocket {
    std::string protocol;                   ///< tcp, tcp6, udp, udp6
    std::array<std::uint8_t, 16> address{}; ///< in network order; of IPv4 the first four bytes
    std::uint16_t port = 0;
    std::uint32_t uid = 0;
    std::uint64_t inode = 0;
    std::string process; ///< `NAME[PID]`, empty where it cannot be told

    [[nodiscard]] bool is_ipv6() const { return protocol.ends_with('6'); }
    /// Reaches nobody but this host.
    [[nodiscard]] bool is_loopback() const;
    [[nodiscard]] std::string text() const; ///< `tcp 127.0.0.1:25`
};

struct ListeningSockets {
    /// TCP sockets that listen and UDP sockets that are bound and not connected. Unsupported: an image.
    static Result<ListeningSockets> read(Facts& facts);

    std::vector<ListeningSocket> all;
};

/// One table of /proc/net. Errors: a line that is not of its form.
[[nodiscard]] Result<std::vector<ListeningSocket>> parse_socket_table(std::string_view text,
                                                                      const std::string& protocol);

} // namespace hostward::hardening
