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
    std::string why;                        ///< for people; decides nothing
    std::string preset;                     ///< the preset it came with; empty: the host's own rule
    Place place;
};

struct GuardConfig {
    Mode mode = Mode::Enforce;
    Action forwarded = Action::Deny;      ///< traffic routed through this host
    Action bypass_sockets = Action::Deny; ///< AF_XDP and PACKET_QDISC_BYPASS, where the LSM layer works
    bool seal_until_reboot = false;       ///< `seal = "until-reboot"`; default "off"
    std::string metrics_file;             ///< absolute, ends in .prom; empty: none is written
    std::vector<Endpoint> endpoints;      ///< never empty: none written means default_endpoints()
    std::vector<Rule> rules;              ///< the host's own, then those of presets; the first match decides
    std::vector<std::string> overrides;   ///< one line each: what a later file or an own rule replaced
};

/// The metadata service of EC2 over IPv4 and IPv6.
/// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
[[nodiscard]] std::vector<Endpoint> default_endpoints();

/// One policy text on its own. Unknown keys, wrong types and values out of range are errors, all of them reported, one
/// line each `FILE:LINE: what, what is allowed`, in Error.text (kind Invalid). `file` is for messages only. `include`
/// is an error: without the presets it would be another policy.
[[nodiscard]] Result<GuardConfig> parse(std::string_view toml, const std::string& file);

/// Where presets are installed.
inline constexpr auto kPresetDir = "/usr/share/hostward/policies";
/// Beside the main file: drop-ins, and presets that replace installed ones of the same name.
inline constexpr auto kDropInFolder = "policy.d";
inline constexpr auto kOwnPresetFolder = "presets";

inline constexpr std::size_t kConfigBytesMax = 1U << 20; ///< of one file
inline constexpr std::size_t kDropInsMax = 256;
inline constexpr std::size_t kPresetsMax = 64;    ///< in one policy
inline constexpr std::size_t kPresetDepthMax = 8; ///< presets that include each other

/// Whom root believes.
enum class Trust {
    RootOnly, ///< for what is enforced
    AnyOwner, ///< to look at a file, such as a checkout in a build pipeline
};

/// The policy of the main file `path`, of policy.d/*.toml beside it in the order of their names (bytewise), and of the
/// presets that these include (presets/NAME.toml beside the main file, else preset_dir/NAME.toml), as merge() says.
/// A link to /dev/null in place of a drop-in or a preset is an empty one. Any file that is missing, cannot be read, is
/// no regular file, is larger than a bound or has an error is an error: nothing is left out. So is, when root reads and
/// believes root only, a file that another user can change or replace.
[[nodiscard]] Result<GuardConfig> load(const std::string& path, const std::string& preset_dir = kPresetDir,
                                       Trust trust = Trust::RootOnly);

} // namespace hostward::config
