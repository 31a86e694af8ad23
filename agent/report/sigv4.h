// SPDX-License-Identifier: Apache-2.0
// AWS Signature Version 4. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
// Our own because libcurl's signer is wrong in several shipped versions (docs/decisions).
#pragma once

#include "agent/report/http.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hostward::report {

/// Secrets: never logged, never stored.
struct AwsKeys {
    std::string access_key_id;
    std::string secret_access_key;
    std::string session_token; ///< empty: long-lived keys
};

struct SigningScope {
    std::string region;
    std::string service;     ///< signing name: "sts", "s3", "securityhub", "ssm", "logs"
    std::int64_t time_s = 0; ///< seconds since 1970, of the receiver's clock
};

struct SigningRules {
    bool normalizes_path = true;      ///< `.`, `..` and `//` resolved; not for S3
    bool encodes_path_twice = true;   ///< not for S3
    bool adds_content_sha256 = false; ///< header x-amz-content-sha256; S3 demands it
    bool signs_session_token = true;  ///< false: the token is added after signing
    bool presigns_payload = true;     ///< a presigned URL signs the body's hash; S3's says UNSIGNED-PAYLOAD
};

/// Rules for a service: S3 has its own.
[[nodiscard]] SigningRules rules_for(std::string_view service);

/// `request` with X-Amz-Date, X-Amz-Security-Token and Authorization added. Every header already there is signed; Host
/// is signed and, if absent, taken from the URL. Headers that the client library adds later are not signed. A header
/// x-amz-content-sha256 that is already there is believed. Invalid: no absolute URL, or a signature is there already.
[[nodiscard]] Result<HttpRequest> sign_headers(const HttpRequest& request, const AwsKeys& keys,
                                               const SigningScope& scope, const SigningRules& rules);

/// The URL with the signature in its query, valid for `expires_s` (1 to 604800).
[[nodiscard]] Result<std::string> presigned_url(const HttpRequest& request, const AwsKeys& keys,
                                                const SigningScope& scope, const SigningRules& rules, int expires_s);

/// `20261121T090000Z` of seconds since 1970.
[[nodiscard]] std::string amz_date(std::int64_t time_s);
/// The other way; nothing for any other form.
[[nodiscard]] std::optional<std::int64_t> parse_amz_date(std::string_view text);

/// SHA-256 in lower-case hex.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

} // namespace hostward::report
