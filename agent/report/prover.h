// SPDX-License-Identifier: Apache-2.0
// Makes the proof that goes with a report, at the moment it is sent.
#pragma once

#include "agent/config/report_config.h"
#include "agent/report/credentials.h"
#include "agent/report/identity.h"
#include "agent/report/proof.h"
#include "agent/report/sink.h"

#include <functional>
#include <optional>
#include <string>

namespace hostward::report {

class Prover {
public:
    /// `credentials` outlives the prover. `identity`: what the metadata service gave, or nothing.
    Prover(const config::ReportConfig& config, CredentialSource& credentials, std::optional<IdentityProof> identity,
           std::function<std::int64_t()> now_s)
        : config_(config), credentials_(credentials), identity_(std::move(identity)), now_s_(std::move(now_s))
    {
    }

    /// Tokens are asked for as sinks ask their services; `context` outlives the prover.
    void ask_with(const SinkContext& context) { context_ = &context; }

    /// Whom the next proofs answer; empty: a random nonce each.
    void answer(std::string nonce) { nonce_ = std::move(nonce); }

    /// Never fails for want of a proof: the envelope then carries the weaker one and says what is missing.
    [[nodiscard]] Result<std::string> envelope(const Report& report, const std::string& audience);

private:
    [[nodiscard]] Status add_sts(const Report& report, ProofParts& parts);
    [[nodiscard]] Status add_token(const Report& report, ProofParts& parts);

    const config::ReportConfig& config_;
    CredentialSource& credentials_;
    std::optional<IdentityProof> identity_;
    std::function<std::int64_t()> now_s_;
    std::string nonce_;
    const SinkContext* context_ = nullptr;
};

} // namespace hostward::report
