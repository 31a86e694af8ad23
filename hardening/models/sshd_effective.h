// SPDX-License-Identifier: Apache-2.0
// What sshd does for a connection: as `sshd -T`, with `-C` or without, but from the files alone.
#pragma once

#include "hardening/models/sshd_config.h"
#include "hardening/models/sshd_match.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hostward::hardening {

struct SshdValue {
    std::string text; ///< as `sshd -T` prints it
    Origin origin;    ///< no file: the default
};

/// Keyword (lower case) -> its values: one, or many for those that collect. Defaults are in it where they are known.
struct SshdEffective {
    std::map<std::string, std::vector<SshdValue>> values;
    std::vector<SshdValue> problems; ///< lines that sshd refuses: with one, it does not start
};

/// `connection`: null is what sshd knows at start, before anybody connects. SshdConnection{} fits no Match but `all`:
/// that is what `sshd -T` without `-C` shows.
[[nodiscard]] SshdEffective evaluate_sshd(const SshdConfig& config, const SshdConnection* connection);

/// What a Match block sets for those it matches.
struct SshdOverride {
    Origin match;                      ///< where the block starts
    std::vector<std::string> criteria; ///< of the Match line
    std::string keyword;
    SshdValue value;
};

/// All that Match blocks set, the first of a keyword in each block (lists: each).
[[nodiscard]] std::vector<SshdOverride> sshd_overrides(const SshdConfig& config);

/// False only if the block's User criterion can never match `user`.
[[nodiscard]] bool may_match_user(const std::vector<std::string>& criteria, const std::string& user);

} // namespace hostward::hardening
