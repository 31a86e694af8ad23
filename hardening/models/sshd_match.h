// SPDX-License-Identifier: Apache-2.0
// Match lines of sshd_config(5): which connections they mean.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

/// Who connects from where. An empty text matches no criterion that asks for it.
struct SshdConnection {
    std::string user;
    std::vector<std::string> groups; ///< of the user, by name
    std::string host;                ///< name of the client
    std::string address;             ///< of the client
    std::string local_address;
    std::uint16_t local_port = 0;
};

enum class SshdMatch { No, Yes, Refused }; ///< Refused: sshd does not take the line

/// `criteria`: the arguments of a Match line. No connection: only `all` matches, everything else is checked for form.
[[nodiscard]] SshdMatch match_sshd(const std::vector<std::string>& criteria, const SshdConnection* connection);

/// Patterns with `*`, `?`, `!` between commas: 1 matches, -1 a negated one does, 0 none.
[[nodiscard]] int match_pattern_list(std::string_view text, std::string_view patterns, bool is_lower = false);

/// Addresses, networks (`10.0.0.0/8`) and patterns between commas: as above; -2: a network with bits beyond its mask.
[[nodiscard]] int match_address_list(const std::string& address, std::string_view list);

} // namespace hostward::hardening
