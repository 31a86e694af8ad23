// SPDX-License-Identifier: Apache-2.0
// The envelope: a report with what proves who made it. docs/verify.md is the format's description for receivers.
//
// An envelope is one line: {"report":REPORT,"proof":PROOF} and a line feed. REPORT is the report's exact bytes (one
// JSON object without line feeds), no space stands between the parts, so that a receiver finds the bytes that were
// hashed.
#pragma once

#include "agent/report/identity.h"
#include "agent/report/sigv4.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hostward::report {

inline constexpr auto kAudienceHeader = "x-hostward-audience";
inline constexpr auto kNonceHeader = "x-hostward-nonce";
inline constexpr auto kReportHeader = "x-hostward-report-sha256";
inline constexpr auto kCallerIdentityBody = "Action=GetCallerIdentity&Version=2011-06-15";

/// What a proof says of itself, strongest first.
enum class ProofKind { WebIdentity, Sts, Document, None };

struct ProofParts {
    std::string audience;
    std::string nonce;
    std::string report_sha256;             ///< lower-case hex
    std::optional<HttpRequest> sts;        ///< the signed request; its body is kCallerIdentityBody and not written
    std::string web_identity_token;        ///< JWT; empty: none
    std::optional<IdentityProof> identity; ///< context, proves nothing alone
    std::string note;                      ///< why a stronger proof is missing; empty: none is missing
};

/// The request that a receiver replays to STS: regional endpoint of `region`, or `endpoint` in its place.
[[nodiscard]] Result<HttpRequest> signed_caller_identity(const ProofParts& parts, const AwsKeys& keys,
                                                         const std::string& region, const std::string& endpoint,
                                                         std::int64_t now_s);

[[nodiscard]] std::string write_envelope(std::string_view report, const ProofParts& parts);

struct Envelope {
    std::string report; ///< exact bytes
    ProofParts proof;
};

inline constexpr std::size_t kEnvelopeBytesMax = std::size_t{16} << 20;

/// Invalid: not exactly the form above, unknown or repeated members included.
[[nodiscard]] Result<Envelope> parse_envelope(std::string_view bytes);

} // namespace hostward::report
