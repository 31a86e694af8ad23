// SPDX-License-Identifier: Apache-2.0
// One report, many formats. Each is a pure function; text of the host is escaped here and nowhere before.
#pragma once

#include "hardening/engine/baseline.h"
#include "hardening/engine/report.h"

#include <string>

namespace hostward::hardening {

struct TextStyle {
    bool is_coloured = false;
    bool shows_all = false; ///< passed, not applicable and manual ones, too
};

/// For people: worst first, what was expected and found, where. Not stable.
[[nodiscard]] std::string text_report(const Report& report, const TextStyle& style = {});

/// Our own schema, docs/schema/check-report.schema.json: fields are only added within a version.
[[nodiscard]] std::string json_report(const Report& report);

/// The same on one line.
[[nodiscard]] std::string json_line_report(const Report& report);

/// json_report()'s text, `file` for messages. Invalid: anything else, or another version of the schema.
[[nodiscard]] Result<Baseline> parse_baseline(std::string_view json, const std::string& file);

/// OCSF 1.6 Compliance Finding events, a JSON array. Waived failures are Suppressed.
[[nodiscard]] std::string ocsf_report(const Report& report);

/// Whom AWS knows the host as.
struct AwsIdentity {
    std::string account; ///< twelve digits
    std::string region;
    std::string instance; ///< `i-...`; empty: the resource is the host's name

    [[nodiscard]] std::string partition() const; ///< `aws`, `aws-cn`, `aws-us-gov`: of the region
};

/// AWS Security Finding Format, a JSON array for BatchImportFindings.
[[nodiscard]] std::string asff_report(const Report& report, const AwsIdentity& aws);

/// JUnit XML: a failure is a failure, a waived one is skipped, what cannot be told is an error.
[[nodiscard]] std::string junit_report(const Report& report);

/// One page that needs nothing else: charts, filters, every finding with its evidence. It has no script, and its
/// Content-Security-Policy allows none, so no text of a host can ever run.
[[nodiscard]] std::string html_report(const Report& report);

/// The coverage of every profile as a table, or as JSON.
[[nodiscard]] std::string coverage_text(const Library& library);
[[nodiscard]] std::string coverage_json(const Library& library);

/// The recommendations of a profile, one a line.
[[nodiscard]] std::string list_text(const Profile& profile, const Library& library, const Selection& selection);

/// Everything about one rule: what it asks, why, how to comply, its parameters, where profiles use it.
[[nodiscard]] std::string rule_text(const Rule& rule, const Library& library);

} // namespace hostward::hardening
