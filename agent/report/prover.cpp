// SPDX-License-Identifier: Apache-2.0
#include "agent/report/prover.h"

#include "agent/report/posture_view.h"
#include "agent/report/proof_form.h"
#include "agent/report/random.h"
#include "agent/report/web_identity.h"

namespace hostward::report {

Status Prover::add_sts(const Report& report, ProofParts& parts)
{
    if (report.identity.region.empty()) {
        return Error{ErrorKind::NotFound, 0, "the instance's region is not known"};
    }
    const std::int64_t now = now_s_();
    TRY_ASSIGN(const auto credentials, credentials_.get(Role::InstanceIdentity, now));
    TRY_ASSIGN(parts.sts,
               signed_caller_identity(parts, credentials.keys, report.identity.region, config_.sts_endpoint, now));
    return success();
}

Status Prover::add_token(const Report& report, ProofParts& parts)
{
    if (report.identity.region.empty() || context_ == nullptr) {
        return Error{ErrorKind::NotFound, 0, "the instance's region is not known"};
    }
    TRY_ASSIGN(parts.web_identity_token,
               fetch_web_identity(parts, report.identity.region, config_.sts_endpoint, *context_));
    return success();
}

Result<std::string> Prover::envelope(const Report& report, const std::string& audience)
{
    ProofParts parts;
    parts.audience = audience;
    parts.nonce = nonce_.empty() ? make_nonce() : nonce_;
    parts.report_sha256 = sha256_hex(report.bytes);
    if (config_.proof != config::ProofChoice::None) {
        parts.identity = identity_;
    }
    if (config_.proof == config::ProofChoice::Auto || config_.proof == config::ProofChoice::WebIdentity) {
        const Status added = add_sts(report, parts);
        if (!added) {
            parts.note = "not bound to STS: " + added.error().text;
        }
    }
    if (config_.proof == config::ProofChoice::WebIdentity) {
        const Status added = add_token(report, parts);
        if (!added) {
            parts.note += (parts.note.empty() ? "" : "; ") + ("no web identity token: " + added.error().text);
        }
    }
    parts.note = cut_text(parts.note, kNoteBytesMax);
    TRY(check_form(parts)); // what a receiver would refuse is not sent
    return write_envelope(report.bytes, parts);
}

} // namespace hostward::report
