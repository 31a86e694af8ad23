// SPDX-License-Identifier: Apache-2.0
#include "agent/report/proof.h"
#include "agent/base/text.h"
#include "agent/report/proof_form.h"
#include "agent/report/sts_hosts.h"

namespace hostward::report {

namespace {

Result<std::string> sts_url(const std::string& region, const std::string& endpoint)
{
    if (!endpoint.empty()) {
        return endpoint.ends_with('/') ? endpoint : endpoint + "/";
    }
    const auto host = sts_host_of(region);
    if (!host) {
        return Error{ErrorKind::NotFound, 0,
                     "the STS endpoint of region " + quote(region) + " is not known: name one in the configuration"};
    }
    return "https://" + *host + "/";
}

} // namespace

Result<HttpRequest> signed_caller_identity(const ProofParts& parts, const AwsKeys& keys, const std::string& region,
                                           const std::string& endpoint, std::int64_t now_s)
{
    TRY(check_form(parts));
    HttpRequest request{"POST", "", {}, kCallerIdentityBody};
    TRY_ASSIGN(request.url, sts_url(region, endpoint));
    request.headers = {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"},
                       {kAudienceHeader, parts.audience},
                       {kNonceHeader, parts.nonce},
                       {kReportHeader, parts.report_sha256}};
    return sign_headers(request, keys, {region, "sts", now_s}, rules_for("sts"));
}

} // namespace hostward::report
