// SPDX-License-Identifier: Apache-2.0
// The policy file as typed data: what was written and where, nothing resolved yet.
#pragma once

#include "agent/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::config {

/// Place in a configuration file, 1-based, for messages. line 0: a built-in default.
struct Place {
    std::string file;
    std::uint32_t line = 0;
    std::uint32_t column = 0;

    [[nodiscard]] std::string text() const; ///< `FILE:LINE`, or `built-in default`
};

/// A value with the place it was written at.
template <typename T> struct At {
    T value{};
    Place place;
};

enum class Mode { Enforce, Audit };
enum class Action { Allow, Deny };
enum class Scope { Host, Container, Any };

struct Endpoint {
    std::string name;
    std::vector<At<std::string>> addresses; ///< textual IPv4 or IPv6, as written
    Action default_action = Action::Deny;
    Place place;
};

struct Rule {
    std::string name;
    Action action = Action::Deny;
    std::vector<At<std::string>> users;   ///< name or decimal uid
    std::vector<At<std::string>> groups;  ///< name or decimal gid
    std::vector<At<std::string>> exes;    ///< absolute paths
    std::vector<At<std::string>> units;   ///< systemd unit names, `*` allowed
    std::vector<At<std::string>> cgroups; ///< paths below the guarded cgroup, `*` allowed within a component
    Scope scope = Scope::Host;
    std::vector<At<std::string>> endpoints; ///< endpoint names; none: every endpoint
    Place place;
};

struct GuardConfig {
    Mode mode = Mode::Enforce;
    Action forwarded = Action::Deny;      ///< traffic routed through this host
    Action bypass_sockets = Action::Deny; ///< AF_XDP and PACKET_QDISC_BYPASS, where the LSM layer works
    bool seal_until_reboot = false;       ///< `seal = "until-reboot"`; default "off"
    std::vector<Endpoint> endpoints;      ///< never empty: none written means default_endpoints()
    std::vector<Rule> rules;
};

/// The metadata service of EC2 over IPv4 and IPv6.
/// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
[[nodiscard]] std::vector<Endpoint> default_endpoints();

/// Parses TOML text. Unknown keys, wrong types and values out of range are errors, all of them reported, one
/// line each `FILE:LINE: what, what is allowed`, in Error.text (kind Invalid). `file` is for messages only.
[[nodiscard]] Result<GuardConfig> parse(std::string_view toml, const std::string& file);

/// Reads and parses. At most kConfigBytesMax bytes; larger is an error.
inline constexpr std::size_t kConfigBytesMax = 1U << 20;
[[nodiscard]] Result<GuardConfig> load(const std::string& path);

} // namespace hostward::config
