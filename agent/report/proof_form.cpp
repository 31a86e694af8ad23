// SPDX-License-Identifier: Apache-2.0
#include "agent/report/proof_form.h"

#include <algorithm>

namespace hostward::report {

namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kNonceCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

bool is_visible(char c) { return c > ' ' && c < '\x7f'; }

/// Signing folds spaces, so a value that has some would have several spellings.
bool is_header_value(std::string_view value)
{
    return !value.empty() && value.size() <= kStsHeaderBytesMax && value.front() != ' ' && value.back() != ' ' &&
           value.find("  ") == value.npos &&
           std::ranges::all_of(value, [](char c) { return c == ' ' || is_visible(c); });
}

bool is_header_name(std::string_view name)
{
    return !name.empty() && name.size() <= kNonceBytesMax && name.find(':') == name.npos &&
           std::ranges::all_of(name, is_visible);
}

Status check_sts(const HttpRequest& sts)
{
    if (sts.url.size() > kUrlBytesMax || !std::ranges::all_of(sts.url, is_visible)) {
        return invalid_error("the proof's STS URL is too long or no URL");
    }
    if (sts.headers.size() > kStsHeadersMax) {
        return invalid_error("the proof's STS request has more than " + std::to_string(kStsHeadersMax) + " headers");
    }
    const bool all_good = std::ranges::all_of(sts.headers, [](const HttpHeader& header) {
        return is_header_name(header.name) && is_header_value(header.value);
    });
    return all_good ? success() : invalid_error("a header of the proof's STS request is of no form that is signed");
}

} // namespace

bool is_sha256(std::string_view text)
{
    constexpr std::size_t kDigits = 64;
    return text.size() == kDigits && text.find_first_not_of(kHex) == text.npos;
}

Status check_form(const ProofParts& parts)
{
    if (parts.audience.empty() || parts.audience.size() > kAudienceBytesMax ||
        !std::ranges::all_of(parts.audience, is_visible)) {
        return invalid_error("the proof's audience is not 1 to " + std::to_string(kAudienceBytesMax) +
                             " visible ASCII characters");
    }
    if (parts.nonce.empty() || parts.nonce.size() > kNonceBytesMax ||
        parts.nonce.find_first_not_of(kNonceCharacters) != std::string::npos) {
        return invalid_error("the proof's nonce is not 1 to " + std::to_string(kNonceBytesMax) +
                             " letters, digits, '-', '_' or '.'");
    }
    if (!is_sha256(parts.report_sha256)) {
        return invalid_error("the proof's report_sha256 is not 64 lower-case hex digits");
    }
    if (parts.web_identity_token.size() > kTokenBytesMax || parts.note.size() > kNoteBytesMax) {
        return invalid_error("the proof's web identity token or note is too long");
    }
    if (parts.identity &&
        std::max(parts.identity->document.size(), parts.identity->rsa2048.size()) > kDocumentBytesMax) {
        return invalid_error("the proof's identity document or its signature is too long");
    }
    return parts.sts ? check_sts(*parts.sts) : success();
}

} // namespace hostward::report
