// SPDX-License-Identifier: Apache-2.0
// The system-wide crypto policy of Fedora's family: what is chosen, and what it allows after its modules.
#pragma once

#include "hardening/models/facts.h"
#include "hardening/models/lines.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct CryptoPolicy {
    bool is_there = false;  ///< /etc/crypto-policies/config
    std::string configured; ///< `DEFAULT:NO-SHA1`; applied by update-crypto-policies
    Origin configured_where;
    std::string current; ///< /etc/crypto-policies/state/current: what is applied; empty: none
    /// state/CURRENT.pol: `cipher`, `cipher@ssh` to values, in lower case as far as the key goes.
    std::map<std::string, std::vector<std::string>> allowed;
    std::string allowed_file;

    /// Values for one of its back ends: `cipher` of `openssh-server` is what the most special of cipher@openssh-server,
    /// cipher@openssh, cipher@ssh and cipher says. Null: nothing says it.
    [[nodiscard]] const std::vector<std::string>* values(std::string_view name, std::string_view scope = {}) const;

    [[nodiscard]] static Result<CryptoPolicy> read(Facts& facts);
};

/// The first line that is not a comment, without what follows `#`.
[[nodiscard]] std::string parse_crypto_policy_name(std::string_view text);
[[nodiscard]] std::map<std::string, std::vector<std::string>> parse_crypto_policy_state(std::string_view text);

} // namespace hostward::hardening
