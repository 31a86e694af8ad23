// SPDX-License-Identifier: Apache-2.0
// One policy file, drop-in or preset as written, before the files of a host become one policy.
#pragma once

#include "agent/base/result.h"
#include "agent/config/guard_config.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::config {

/// What a file may hold.
enum class FileKind {
    Policy, ///< the main file or a drop-in: everything
    Preset, ///< rules and further presets; what is enforced and guarded is the host's decision
};

struct ConfigFile {
    std::string file;
    std::optional<At<Mode>> mode;
    std::optional<At<Action>> forwarded;
    std::optional<At<Action>> bypass_sockets;
    std::optional<At<bool>> seal_until_reboot;
    std::optional<At<std::string>> metrics_file;
    std::vector<At<std::string>> includes; ///< names of presets, without `preset:`
    std::vector<Endpoint> endpoints;
    std::vector<Rule> rules;
};

/// Bytes of a preset's name, which is a-z, 0-9 and `-`: it can never lead out of a folder.
inline constexpr std::size_t kPresetNameMax = 64;

/// Errors as those of parse().
[[nodiscard]] Result<ConfigFile> parse_file(std::string_view toml, const std::string& file,
                                            FileKind kind = FileKind::Policy);

/// A preset with its name, after the presets that include it.
struct NamedPreset {
    std::string name;
    ConfigFile content;
};

/// One policy of the files in their order: the main file, then drop-ins, then presets.
///
/// A setting of a later file replaces that of an earlier one. A rule or an endpoint of a later file replaces the one
/// of the same name in its place; others are appended. Endpoints that drop-ins add stand beside the main file's, or
/// beside the default ones if the main file has none: a drop-in never takes an endpoint away. Rules of presets come
/// after all own rules, so the host's own rules win; an own rule of the same name replaces a preset's. Two presets
/// with rules of one name are an error.
[[nodiscard]] Result<GuardConfig> merge(const std::vector<ConfigFile>& files, const std::vector<NamedPreset>& presets);

} // namespace hostward::config
