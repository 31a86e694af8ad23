// SPDX-License-Identifier: Apache-2.0
// auditd.conf(5): one file, one setting to a line, names and words in any case.
#pragma once

#include "agent/base/result.h"
#include "hardening/models/facts.h"
#include "hardening/models/lines.h"

#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct AuditdSetting {
    std::string name;  ///< in small letters
    std::string value; ///< as written
    Origin where;
};

struct AuditdConf {
    bool is_there = false;
    std::vector<AuditdSetting> settings; ///< in file order
    std::vector<Origin> malformed;       ///< auditd does not start with such a line
    static Result<AuditdConf> read(Facts& facts);
    /// The line that counts, which is the last; null: none, auditd's own default.
    [[nodiscard]] const AuditdSetting* find(std::string_view name) const;
};

[[nodiscard]] AuditdConf parse_auditd_conf(std::string_view text, const std::string& file);

} // namespace hostward::hardening
