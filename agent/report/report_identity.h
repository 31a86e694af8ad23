// SPDX-License-Identifier: Apache-2.0
// Whom a posture report says it is of.
#pragma once

#include "agent/report/identity.h"

namespace hostward::report {

struct ReportSubject {
    std::string id; ///< of the report; empty: it has none
    std::string created_at;
    InstanceIdentity identity;
    std::string partition;
};

/// Invalid: no report, or one that does not name its instance.
[[nodiscard]] Result<ReportSubject> read_subject(std::string_view report);

} // namespace hostward::report
