// SPDX-License-Identifier: Apache-2.0
#include "agent/report/report_identity.h"
#include "agent/report/json_read.h"
#include "agent/report/sts_answer.h"

#include <nlohmann/json.hpp>

namespace hostward::report {

Result<ReportSubject> read_subject(std::string_view report)
{
    const auto document = nlohmann::json::parse(report, nullptr, false);
    if (!document.is_object() || !document.contains("identity") || !document["identity"].is_object()) {
        return invalid_error("the report has no identity");
    }
    const auto& said = document["identity"];
    ReportSubject out{json_text(document, "id"), json_text(document, "created_at"), {}, json_text(said, "partition")};
    auto& identity = out.identity;
    identity.account_id = json_text(said, "account_id");
    identity.region = json_text(said, "region");
    identity.instance_id = json_text(said, "instance_id");
    identity.image_id = json_text(said, "image_id");
    identity.instance_type = json_text(said, "instance_type");
    identity.availability_zone = json_text(said, "availability_zone");
    if (!is_account_id(identity.account_id) || !is_instance_id(identity.instance_id) || identity.region.empty()) {
        return invalid_error("the report does not say of which account, region and instance it is");
    }
    return out;
}

} // namespace hostward::report
