// SPDX-License-Identifier: Apache-2.0
// sudoers(5) with its includes: Defaults, and which user specifications ask for no password.
#pragma once

#include "agent/base/result.h"
#include "hardening/models/facts.h"
#include "hardening/models/lines.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

/// One setting of a Defaults line.
struct SudoDefault {
    Origin origin;
    std::string scope; ///< `:bob`, `@host`, `>root`, `!/bin/x` as written; empty: for everybody
    std::string name;
    std::string value; ///< without quotes; empty for a bare name
    bool is_negated = false;
};

/// A line that is an include.
struct SudoInclude {
    Origin origin;
    std::string path; ///< as written
    bool is_folder = false;
};

struct Sudoers {
    bool is_there = false;
    std::vector<SudoDefault> defaults; ///< in the order in which sudo reads them
    std::vector<Origin> no_password;   ///< user specifications with the tag NOPASSWD
    static Result<Sudoers> read(Facts& facts);
};

/// One file; `include` is called for each include where it stands and may add to the same Sudoers.
[[nodiscard]] Status parse_sudoers(std::string_view text, const std::string& file, Sudoers& out,
                                   const std::function<Status(const SudoInclude&)>& include);

} // namespace hostward::hardening
