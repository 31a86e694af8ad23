// SPDX-License-Identifier: Apache-2.0
// `hostward verify`: wires files, clock and network to the judgement of agent/report/verify.h.
#include "agent/base/text.h"
#include "agent/base/unique_fd.h"
#include "agent/cli/clock.h"
#include "agent/cli/commands.h"
#include "agent/cli/verify_view.h"
#include "agent/config/report_values.h"
#include "agent/report/gunzip.h"
#include "agent/report/nonce_file.h"
#include "agent/report/verify.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace hostward::cli {

namespace {

using report::Expectations;
using report::Verdict;
using report::Verification;

constexpr std::size_t kAnswerBytesMax = 65536;
constexpr std::size_t kSmallFileBytesMax = std::size_t{256} * 1024;
constexpr int kOk = 200;
/// A nonce is kept at least so long, whatever --max-age says this time: no proof lives longer.
constexpr std::int64_t kNonceKeptS = 3600;

Result<std::string> read_all(int fd, const std::string& name, std::size_t bytes_max)
{
    constexpr std::size_t kChunk = 65536;
    std::string out;
    std::array<char, kChunk> chunk{};
    for (;;) {
        const ssize_t got = ::read(fd, chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return system_error(errno, "cannot read " + quote(name));
        }
        if (got == 0) {
            return out;
        }
        out.append(chunk.data(), static_cast<std::size_t>(got));
        if (out.size() > bytes_max) {
            return invalid_error(quote(name) + " has more than " + std::to_string(bytes_max) + " bytes");
        }
    }
}

Result<std::string> read_input(const std::string& path, std::size_t bytes_max)
{
    if (path == "-") {
        return read_all(STDIN_FILENO, "standard input", bytes_max);
    }
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) {
        return system_error(errno, "cannot open " + quote(path));
    }
    return read_all(fd.get(), path, bytes_max);
}

Verification refused(const char* code, std::string text)
{
    Verification out;
    out.verdict = Verdict::Refused;
    out.refusal = report::Refusal{code, std::move(text)};
    return out;
}

Result<std::string> fetch_keys(const std::string& issuer)
{
    report::HttpOptions options;
    options.response_bytes_max = kSmallFileBytesMax;
    TRY_ASSIGN(const auto http, report::open_http(options));
    const std::string url = issuer + "/.well-known/jwks.json";
    const auto answer = http->send({"GET", url, {{"accept", "application/json"}}, ""});
    if (const auto* failure = std::get_if<report::HttpFailure>(&answer)) {
        return Error{ErrorKind::System, 0, "cannot fetch the issuer's keys: " + failure->text};
    }
    const auto& response = std::get<report::HttpResponse>(answer);
    if (response.status != kOk) {
        return Error{ErrorKind::System, 0, "the issuer answered " + std::to_string(response.status) + " for its keys"};
    }
    return response.body;
}

Result<std::string> keys_of(const VerifyOptions& options, const report::Envelope& envelope)
{
    if (!options.jwks.empty()) {
        return read_input(options.jwks, kSmallFileBytesMax);
    }
    if (options.issuer.empty() || options.offline || options.sts || envelope.proof.web_identity_token.empty()) {
        return std::string();
    }
    return fetch_keys(options.issuer);
}

Result<Expectations> expectations_of(const VerifyOptions& options, const report::Envelope& envelope)
{
    Expectations out;
    out.ask = options.sts ? report::Ask::Sts : options.offline ? report::Ask::Offline : report::Ask::Best;
    out.audience = options.audience;
    out.nonce = options.nonce;
    out.account_id = options.account;
    out.region = options.region;
    out.max_age = config::parse_duration(options.max_age).value_or(out.max_age);
    out.now_s = now_s();
    out.trusted_sts = options.trusted_sts;
    out.issuer = options.issuer;
    TRY_ASSIGN(out.jwks, keys_of(options, envelope));
    return out;
}

/// The last word: a proof that was good and is shown again.
Status take_nonce(const VerifyOptions& options, const Expectations& expected, Verification& verification)
{
    const bool is_once =
        verification.proof == report::ProofKind::Sts || verification.proof == report::ProofKind::WebIdentity;
    if (verification.verdict != Verdict::Proven || !is_once) {
        return success();
    }
    if (options.nonces.empty()) {
        if (options.nonce.empty()) {
            verification.open.emplace_back("that it was not shown before: neither --nonce nor --nonces was given");
        }
        return success();
    }
    const auto& who = verification.subject.identity;
    const auto kept_s = std::max<std::int64_t>(expected.max_age.count(), kNonceKeptS);
    Status taken = report::NonceFile(options.nonces)
                       .take(who.account_id + "/" + who.instance_id, verification.nonce, expected.now_s,
                             verification.signed_s + kept_s);
    if (!taken && taken.error().kind == ErrorKind::Conflict) {
        verification.verdict = Verdict::Refused;
        verification.proof = report::ProofKind::None;
        verification.refusal = report::Refusal{"nonce-replayed", taken.error().text};
        return success();
    }
    return taken;
}

Result<Verification> verify_envelope(const VerifyOptions& options, const report::Envelope& envelope)
{
    TRY_ASSIGN(const Expectations expected, expectations_of(options, envelope));
    report::HttpOptions http_options;
    http_options.response_bytes_max = kAnswerBytesMax;
    http_options.only_https = !options.trusted_sts.starts_with("http://");
    std::unique_ptr<report::Http> http;
    if (!options.offline) {
        TRY_ASSIGN(http, report::open_http(http_options));
    }
    Verification out = verify(envelope, expected, http.get());
    TRY(take_nonce(options, expected, out));
    return out;
}

Result<Verification> verify_file(const VerifyOptions& options)
{
    TRY_ASSIGN(std::string bytes, read_input(options.file, report::kEnvelopeBytesMax));
    if (report::is_gzip(bytes)) {
        auto plain = report::gunzip(bytes, report::kEnvelopeBytesMax);
        if (!plain) {
            return refused("envelope", plain.error().text);
        }
        bytes = plain.take();
    }
    const auto envelope = report::parse_envelope(bytes);
    return envelope ? verify_envelope(options, *envelope) : refused("envelope", envelope.error().text);
}

Result<Verification> verify_document(const VerifyOptions& options)
{
    report::IdentityProof proof;
    TRY_ASSIGN(proof.document, read_input(options.identity, kSmallFileBytesMax));
    TRY_ASSIGN(proof.rsa2048, read_input(options.rsa2048, kSmallFileBytesMax));
    const auto genuine = report::verify_identity(proof, options.region);
    if (!genuine) {
        const bool is_unknown = genuine.error().kind == ErrorKind::NotFound;
        Verification out = refused(is_unknown ? "no-proof" : "document", genuine.error().text);
        out.verdict = is_unknown ? Verdict::NotProven : Verdict::Refused;
        return out;
    }
    Verification out;
    out.verdict = Verdict::Proven;
    out.proof = report::ProofKind::Document;
    out.subject.identity = *genuine;
    out.shown.emplace_back("the identity document is AWS's");
    out.open.emplace_back("who shows it, and when: it can be shown again by everybody who has seen it");
    return out;
}

ExitCode exit_code_of(Verdict verdict)
{
    switch (verdict) {
    case Verdict::Proven: return ExitCode::Ok;
    case Verdict::NotProven: return ExitCode::CannotTell;
    case Verdict::Refused: return ExitCode::NotGenuine;
    }
    return ExitCode::Failed;
}

} // namespace

Result<ExitCode> verify(const CommandLine& line, const Streams& streams)
{
    const auto& options = line.verify;
    TRY_ASSIGN(const Verification out, options.identity.empty() ? verify_file(options) : verify_document(options));
    streams.out.print(line.json ? verification_json(out) : verification_text(out));
    return exit_code_of(out.verdict);
}

} // namespace hostward::cli
