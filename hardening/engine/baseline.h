// SPDX-License-Identifier: Apache-2.0
// An earlier report, to hold a new one against.
#pragma once

#include "agent/base/result.h"
#include "hardening/engine/report.h"

#include <string>
#include <vector>

namespace hostward::hardening {

/// One recommendation's result, then.
struct Past {
    std::string number;
    std::string title;
    Verdict verdict = Verdict::CannotTell;
    bool is_open_failure = false; ///< fails, and no waiver covered it
};

struct Baseline {
    std::string file;
    std::string profile;
    bool is_workstation = false;
    std::string root;
    std::int64_t started_s = 0;
    std::vector<Past> findings;
};

/// Invalid: the baseline is of another profile, role or root.
[[nodiscard]] Result<Comparison> compare(const Report& report, const Baseline& baseline);

} // namespace hostward::hardening
