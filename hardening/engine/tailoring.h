// SPDX-License-Identifier: Apache-2.0
// What an administrator changes about a profile: values of parameters, and waivers. A waiver never changes a verdict:
// it lies over it.
#pragma once

#include "agent/base/result.h"
#include "hardening/engine/library.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct Waiver {
    std::string rule;        ///< id
    std::string reason;      ///< why this host may differ
    std::string owner;       ///< who answers for it
    std::string expires;     ///< YYYY-MM-DD: the last day it counts, in UTC. Empty: no end
    std::int64_t ends_s = 0; ///< the first second after it, since 1970; 0: no end
    Place place;

    [[nodiscard]] bool is_expired(std::int64_t now_s) const { return ends_s != 0 && now_s >= ends_s; }
};

struct Tailoring {
    std::map<std::string, std::map<std::string, Value>, std::less<>> values; ///< rule -> parameter -> value
    std::map<std::string, Waiver, std::less<>> waivers;                      ///< by rule
};

/// A tailoring file: `[[set]]` with rule, parameter, value; `[[waiver]]` with rule, reason, owner, expires. Rules and
/// parameters that do not exist are errors, with file and line. A waiver for a rule that the library lacks is kept: it
/// is reported as an orphan.
[[nodiscard]] Result<Tailoring> parse_tailoring(std::string_view toml, const std::string& file, const Library& library);

/// `RULE.PARAMETER=VALUE` of the command line on top; the value is read as the parameter's default is.
[[nodiscard]] Status add_setting(std::string_view text, const Library& library, Tailoring& tailoring);

/// Seconds since 1970 at which the day YYYY-MM-DD is over (UTC), or nothing if it is none.
[[nodiscard]] std::optional<std::int64_t> end_of_day(std::string_view date);

} // namespace hostward::hardening
