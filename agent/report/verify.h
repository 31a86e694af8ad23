// SPDX-License-Identifier: Apache-2.0
// The receiver's side: does this envelope prove which instance made this report, just now, for us?
// docs/verify.md says the same for those who write their own.
#pragma once

#include "agent/report/proof.h"
#include "agent/report/refusal.h"
#include "agent/report/report_identity.h"

#include <chrono>
#include <string>
#include <vector>

namespace hostward::report {

enum class Verdict {
    Proven,    ///< as was asked: with Ask::Offline this is less
    NotProven, ///< nothing is wrong, but nothing that counts was there or could be asked
    Refused,   ///< something contradicts
};

enum class Ask {
    Best,    ///< a web identity token where its keys are given, otherwise STS
    Sts,     ///< STS, nothing less
    Offline, ///< nobody is asked: the token where its keys are given, otherwise the document alone
};

struct Expectations {
    Ask ask = Ask::Best;
    std::string audience = "hostward";
    std::string nonce;                 ///< the one that was handed out; empty: any
    std::string account_id;            ///< empty: any
    std::string region;                ///< empty: any that the report, and the document's certificate, agree on
    std::chrono::seconds max_age{300}; ///< since the proof was signed
    std::int64_t now_s = 0;
    std::string trusted_sts; ///< URL instead of the STS endpoints of AWS; empty: those
    std::string jwks;        ///< key set of the token's issuer; empty: none
    std::string issuer;      ///< whose tokens count; empty: whoever's keys those are
};

struct Verification {
    Verdict verdict = Verdict::NotProven;
    ProofKind proof = ProofKind::None; ///< what carries the verdict Proven
    Check refusal;                     ///< of Refused and NotProven: why
    ReportSubject subject;             ///< whom the report names; proven only as far as `verdict` and `open` say
    std::string nonce;
    std::string audience;
    std::int64_t signed_s = 0;      ///< when the proof was made
    std::vector<std::string> shown; ///< what was checked and holds, in sentences
    std::vector<std::string> open;  ///< what is not proven, in sentences
};

/// `sts` may be null: then STS is not asked. At most one request is sent, and only when everything that can be judged
/// without it holds. Replays are the caller's to refuse: NonceFile.
[[nodiscard]] Verification verify(const Envelope& envelope, const Expectations& expected, Http* sts);

/// Codes of refusals that only say that STS could not be asked.
[[nodiscard]] bool is_unavailable(const Refusal& refusal);

} // namespace hostward::report
