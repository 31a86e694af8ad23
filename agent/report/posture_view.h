// SPDX-License-Identifier: Apache-2.0
// A report's results as the sinks map them. Reports of other versions come through here, too: what is missing is empty.
#pragma once

#include "agent/report/sink.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::report {

/// One recommendation's result, as docs/schema/check-report.schema.json has it.
struct CheckResult {
    std::string profile; ///< its id
    std::string profile_title;
    std::string profile_version;
    std::string number;
    std::string title;
    std::string verdict; ///< pass, fail, not-applicable, manual, cannot-tell
    std::string rule;
    std::string severity;             ///< low, medium, high, critical, or empty
    std::vector<std::string> details; ///< the reason, then the evidence, a line each
    std::string waiver;               ///< of a waiver that holds: owner and reason

    [[nodiscard]] bool is_waived() const { return !waiver.empty(); }
    /// Something people should look at: it failed, or could not be told.
    [[nodiscard]] bool needs_attention() const { return verdict == "fail" || verdict == "cannot-tell"; }
};

struct PostureView {
    std::vector<CheckResult> results; ///< those with a profile, a number and a verdict
    std::string summary;              ///< one line of JSON: the report without the single results
};

inline constexpr std::size_t kResultsMax = 50'000; ///< of one report

/// Invalid: no JSON object, or more than kResultsMax results.
[[nodiscard]] Result<PostureView> view_posture(std::string_view report);

/// At most `bytes_max` bytes, cut before a character, with `...` where something is missing.
[[nodiscard]] std::string cut_text(std::string_view text, std::size_t bytes_max);

} // namespace hostward::report
