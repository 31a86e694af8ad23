// SPDX-License-Identifier: Apache-2.0
// What STS answers: who signed the request.
#pragma once

#include "agent/report/http.h"
#include "agent/report/refusal.h"

namespace hostward::report {

/// Of an ARN `arn:PARTITION:sts::ACCOUNT:assumed-role/aws:ec2-instance/INSTANCE`: the instance identity role.
struct Caller {
    std::string partition;
    std::string account_id;
    std::string instance_id;
};

/// Nothing for every other ARN: other roles may take any session name, also that of an instance.
[[nodiscard]] std::optional<Caller> instance_caller(std::string_view arn);

[[nodiscard]] bool is_account_id(std::string_view text);
[[nodiscard]] bool is_instance_id(std::string_view text);

/// Codes: sts-redirect, sts-refused, sts-unavailable, sts-answer, arn.
[[nodiscard]] Checked<Caller> read_caller(const HttpResponse& response);

} // namespace hostward::report
