// SPDX-License-Identifier: Apache-2.0
#include "agent/report/verify.h"
#include "agent/base/text.h"
#include "agent/report/jwt.h"
#include "agent/report/sts_answer.h"
#include "agent/report/sts_request.h"

namespace hostward::report {

namespace {

/// One verification; each step returns why it refuses.
class Verifier {
public:
    Verifier(const Envelope& envelope, const Expectations& expected, Http* sts)
        : envelope_(envelope), parts_(envelope.proof), expected_(expected), sts_(sts)
    {
        out_.nonce = parts_.nonce;
        out_.audience = parts_.audience;
    }

    Verification run()
    {
        out_.refusal = judge();
        if (out_.refusal) {
            const bool is_open = out_.refusal->code == "no-proof" || is_unavailable(*out_.refusal);
            out_.verdict = is_open ? Verdict::NotProven : Verdict::Refused;
            out_.proof = ProofKind::None;
        } else {
            out_.verdict = Verdict::Proven;
        }
        return out_;
    }

private:
    Check judge()
    {
        for (const auto step : {&Verifier::check_binding, &Verifier::check_subject, &Verifier::check_document}) {
            if (auto refused = (this->*step)()) {
                return refused;
            }
        }
        return check_proof();
    }

    /// What the envelope says of itself: proven later, by what is signed.
    Check check_binding()
    {
        if (sha256_hex(envelope_.report) != parts_.report_sha256) {
            return Refusal{"report-hash", "the report is not the one that the proof is for: its SHA-256 differs"};
        }
        if (parts_.audience != expected_.audience) {
            return Refusal{"audience", "the proof is for the audience " + quote(parts_.audience) + ", not for " +
                                           quote(expected_.audience)};
        }
        if (!expected_.nonce.empty() && parts_.nonce != expected_.nonce) {
            return Refusal{"nonce", "the proof has another nonce than the one expected"};
        }
        return std::nullopt;
    }

    Check check_subject()
    {
        auto subject = read_subject(envelope_.report);
        if (!subject) {
            return Refusal{"report-identity", subject.error().text};
        }
        out_.subject = subject.take();
        if (!expected_.account_id.empty() && said().account_id != expected_.account_id) {
            return Refusal{"account",
                           "the report is of account " + said().account_id + ", not of " + expected_.account_id};
        }
        if (!expected_.region.empty() && said().region != expected_.region) {
            return Refusal{"region",
                           "the report is of region " + quote(said().region) + ", not of " + expected_.region};
        }
        return std::nullopt;
    }

    Check check_document()
    {
        if (!parts_.identity) {
            out_.open.emplace_back("region, image, type and zone of the instance are what the report says");
            return std::nullopt;
        }
        const auto genuine = verify_identity(*parts_.identity, said().region);
        if (!genuine && genuine.error().kind == ErrorKind::NotFound) {
            out_.open.push_back("the identity document was not checked: " + genuine.error().text);
            return std::nullopt;
        }
        if (!genuine) {
            return Refusal{"document", "the identity document is not genuine: " + genuine.error().text};
        }
        return compare_document(*genuine);
    }

    Check compare_document(const InstanceIdentity& genuine)
    {
        for (const auto& [what, field] : {std::pair{"account", &InstanceIdentity::account_id},
                                          {"region", &InstanceIdentity::region},
                                          {"instance", &InstanceIdentity::instance_id},
                                          {"image", &InstanceIdentity::image_id},
                                          {"instance type", &InstanceIdentity::instance_type},
                                          {"availability zone", &InstanceIdentity::availability_zone}}) {
            if (genuine.*field != said().*field) {
                return Refusal{"document-mismatch",
                               std::string("the identity document names another ") + what + " than the report"};
            }
        }
        out_.subject.identity.pending_time = genuine.pending_time;
        has_document_ = true;
        out_.shown.emplace_back("the identity document is AWS's and names this account, region, instance and image");
        return std::nullopt;
    }

    Check check_proof()
    {
        const bool has_keys = !expected_.jwks.empty();
        if (expected_.ask != Ask::Sts && has_keys && !parts_.web_identity_token.empty()) {
            return check_token();
        }
        if (expected_.ask == Ask::Offline) {
            return check_offline();
        }
        if (!parts_.sts) {
            return Refusal{"no-proof", parts_.web_identity_token.empty()
                                           ? "the envelope has no proof that its report was made by this instance"
                                           : "the envelope has a web identity token, but no keys to check it with"};
        }
        return check_sts();
    }

    Check check_offline()
    {
        if (!has_document_) {
            return Refusal{"no-proof", "without STS and a token's keys only an identity document can be checked, "
                                       "and there is none that could"};
        }
        out_.proof = ProofKind::Document;
        out_.open.emplace_back("that this instance made the report, that anybody did so now, and for whom: an identity "
                               "document can be shown again by everybody who has seen it");
        return std::nullopt;
    }

    Check check_token()
    {
        const auto token =
            verify_token(parts_.web_identity_token, {expected_.jwks, expected_.issuer, expected_.audience, parts_.nonce,
                                                     parts_.report_sha256, expected_.now_s, expected_.max_age.count()});
        if (const auto* refusal = std::get_if<Refusal>(&token)) {
            return *refusal;
        }
        const auto& facts = std::get<TokenFacts>(token);
        if (facts.account_id != said().account_id) {
            return Refusal{"identity-mismatch", "the web identity token is of another account than the report"};
        }
        if (facts.instance_id != said().instance_id) {
            return Refusal{"identity-mismatch", facts.instance_id.empty()
                                                    ? "the web identity token names no instance"
                                                    : "the web identity token is of another instance than the report"};
        }
        out_.proof = ProofKind::WebIdentity;
        out_.signed_s = facts.issued_s;
        out_.shown.emplace_back("AWS signed a token for this instance that names this report, nonce and audience");
        return std::nullopt;
    }

    Check check_sts()
    {
        const auto checked = check_sts_request(parts_, {expected_.now_s, expected_.max_age, expected_.trusted_sts});
        if (const auto* refusal = std::get_if<Refusal>(&checked)) {
            return *refusal;
        }
        const auto& request = std::get<StsRequest>(checked);
        if (sts_ == nullptr) {
            return Refusal{"sts-not-asked", "STS was not asked"};
        }
        const auto answer = sts_->send(request.request);
        if (const auto* failure = std::get_if<HttpFailure>(&answer)) {
            return Refusal{failure->trouble == HttpTrouble::TooLarge ? "sts-answer" : "sts-unreachable",
                           "STS could not be asked: " + failure->text};
        }
        const auto caller = read_caller(std::get<HttpResponse>(answer));
        if (const auto* refusal = std::get_if<Refusal>(&caller)) {
            return *refusal;
        }
        return check_caller(std::get<Caller>(caller), request);
    }

    Check check_caller(const Caller& caller, const StsRequest& request)
    {
        if (caller.account_id != said().account_id || caller.instance_id != said().instance_id) {
            return Refusal{"identity-mismatch", "STS says that " + caller.instance_id + " of account " +
                                                    caller.account_id + " signed, which is not who the report is of"};
        }
        if (out_.subject.partition != caller.partition) {
            return Refusal{"identity-mismatch", "STS answers for another partition than the report says"};
        }
        if (!request.partition.empty() && caller.partition != request.partition) {
            return Refusal{"arn", "STS answers for another partition than that of its endpoint"};
        }
        out_.proof = ProofKind::Sts;
        out_.signed_s = request.signed_s;
        out_.shown.emplace_back("STS says that this instance signed this report, nonce and audience");
        return std::nullopt;
    }

    [[nodiscard]] const InstanceIdentity& said() const { return out_.subject.identity; }

    const Envelope& envelope_;
    const ProofParts& parts_;
    const Expectations& expected_;
    Http* sts_;
    Verification out_;
    bool has_document_ = false;
};

} // namespace

bool is_unavailable(const Refusal& refusal)
{
    return refusal.code == "sts-unreachable" || refusal.code == "sts-unavailable" || refusal.code == "sts-not-asked";
}

Verification verify(const Envelope& envelope, const Expectations& expected, Http* sts)
{
    return Verifier(envelope, expected, sts).run();
}

} // namespace hostward::report
