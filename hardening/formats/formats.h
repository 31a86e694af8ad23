// SPDX-License-Identifier: Apache-2.0
// One report, many formats. Each is a pure function; text of the host is escaped here and nowhere before.
#pragma once

#include "hardening/engine/report.h"

#include <string>

namespace hostward::hardening {

struct TextStyle {
    bool is_coloured = false;
    bool shows_all = false; ///< passed, not applicable and manual ones, too
};

/// For people: worst first, what was expected and found, where. Not stable.
[[nodiscard]] std::string text_report(const Report& report, const TextStyle& style = {});

/// Our own schema, docs/schema/check-report-v1.json: fields are only added within a version.
[[nodiscard]] std::string json_report(const Report& report);

/// The coverage of every profile as a table, or as JSON.
[[nodiscard]] std::string coverage_text(const Library& library);
[[nodiscard]] std::string coverage_json(const Library& library);

/// The recommendations of a profile, one a line.
[[nodiscard]] std::string list_text(const Profile& profile, const Library& library, const Selection& selection);

/// Everything about one rule: what it asks, why, how to comply, its parameters, where profiles use it.
[[nodiscard]] std::string rule_text(const Rule& rule, const Library& library);

} // namespace hostward::hardening
