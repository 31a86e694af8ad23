// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/verify_view.h"
#include "agent/base/terminal.h"
#include "hardening/formats/wording.h"

#include <nlohmann/json.hpp>

namespace hostward::cli {

namespace {

using report::ProofKind;
using report::Verdict;
using report::Verification;
using Json = nlohmann::ordered_json;

const char* verdict_word(Verdict verdict)
{
    switch (verdict) {
    case Verdict::Proven: return "proven";
    case Verdict::NotProven: return "not-proven";
    case Verdict::Refused: return "refused";
    }
    return "";
}

const char* proof_word(ProofKind proof)
{
    switch (proof) {
    case ProofKind::WebIdentity: return "web-identity";
    case ProofKind::Sts: return "sts";
    case ProofKind::Document: return "document";
    case ProofKind::None: return "none";
    }
    return "";
}

std::string title(const Verification& verification)
{
    switch (verification.verdict) {
    case Verdict::Proven:
        return verification.proof == ProofKind::Document ? "genuine document, the report is not proven" : "proven";
    case Verdict::NotProven: return "NOT PROVEN";
    case Verdict::Refused: return "REFUSED";
    }
    return "";
}

std::string line(const char* name, const std::string& value)
{
    constexpr std::size_t kColumn = 12;
    std::string out = "  " + std::string(name);
    out.resize(kColumn, ' ');
    return value.empty() ? "" : out + printable(value) + "\n";
}

std::string list(const char* head, const std::vector<std::string>& sentences)
{
    std::string out = sentences.empty() ? "" : std::string(head) + "\n";
    for (const auto& sentence : sentences) {
        out += "  - " + printable(sentence) + "\n";
    }
    return out;
}

std::string time_text(std::int64_t time_s) { return time_s == 0 ? "" : hardening::iso_time(time_s); }

} // namespace

std::string verification_text(const Verification& verification)
{
    const auto& identity = verification.subject.identity;
    std::string out = title(verification);
    if (verification.refusal) {
        out += ": " + printable(verification.refusal->text) + " (" + std::string(verification.refusal->code) + ")";
    }
    if (identity.instance_id.empty()) {
        return out + "\n";
    }
    out += verification.verdict == Verdict::Proven ? "\n" : "\nThe report says, unproven:\n";
    out += line("instance", identity.instance_id) + line("account", identity.account_id) +
           line("region", identity.region) + line("image", identity.image_id) + line("since", identity.pending_time) +
           line("report", verification.subject.id) + line("made", verification.subject.created_at) +
           line("signed", time_text(verification.signed_s)) + line("audience", verification.audience) +
           line("nonce", verification.nonce);
    if (verification.verdict == Verdict::Proven) {
        out += list("Checked:", verification.shown) + list("Not proven:", verification.open);
    }
    return out;
}

std::string verification_json(const Verification& verification)
{
    const auto& identity = verification.subject.identity;
    Json out{{"schema", "hostward.verification/1"},
             {"verdict", verdict_word(verification.verdict)},
             {"proof", proof_word(verification.proof)},
             {"code", verification.refusal ? std::string(verification.refusal->code) : ""},
             {"reason", verification.refusal ? printable(verification.refusal->text) : ""},
             {"account_id", printable(identity.account_id)},
             {"region", printable(identity.region)},
             {"instance_id", printable(identity.instance_id)},
             {"image_id", printable(identity.image_id)},
             {"running_since", printable(identity.pending_time)},
             {"report_id", printable(verification.subject.id)},
             {"created_at", printable(verification.subject.created_at)},
             {"signed_at", time_text(verification.signed_s)},
             {"audience", printable(verification.audience)},
             {"nonce", printable(verification.nonce)}};
    out["shown"] = verification.shown;
    out["not_proven"] = verification.open;
    return out.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace hostward::cli
