// SPDX-License-Identifier: Apache-2.0
// The canonical request of Signature Version 4: the one text that both sides must write alike. No secrets here.
#pragma once

#include "agent/report/sigv4.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hostward::report {

/// Every byte but letters, digits, `-`, `.`, `_` and `~` as %XX; a slash too unless `keeps_slash`.
[[nodiscard]] std::string uri_encode(std::string_view text, bool keeps_slash);
/// %XX read; anything else stays, so does a `%` without two hex digits.
[[nodiscard]] std::string uri_decode(std::string_view text);

/// `scheme://authority/path?query` in its parts, as they are written.
struct UrlParts {
    std::string scheme;
    std::string authority;
    std::string path;  ///< at least "/"
    std::string query; ///< without `?`
};
/// Invalid: no http or https URL, a user name in it, a fragment.
[[nodiscard]] Result<UrlParts> split_url(std::string_view url);

/// What a client sends as Host: the authority without its scheme's own port.
[[nodiscard]] std::string host_of(const UrlParts& url);

[[nodiscard]] std::string canonical_path(std::string_view path, const SigningRules& rules);

/// Decoded name and value each.
using Query = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] Query parse_query(std::string_view query);
/// Encoded and sorted by encoded name, then value.
[[nodiscard]] std::string canonical_query(const Query& query);

struct CanonicalHeaders {
    std::string text;         ///< `name:value` and a line feed each
    std::string signed_names; ///< joined with `;`
};
/// Names in lower case and sorted, values trimmed, inner white space one space, repeated ones joined with commas.
[[nodiscard]] CanonicalHeaders canonical_headers(const std::vector<HttpHeader>& headers);

/// The texts on the way to a signature, for those who compare them.
struct SigningSteps {
    std::string canonical_request;
    std::string string_to_sign;
    std::string signature;
};
struct SignedRequest {
    HttpRequest request;
    SigningSteps steps;
};
struct SignedUrl {
    std::string url;
    SigningSteps steps;
};
/// sign_headers() and presigned_url() with their steps.
[[nodiscard]] Result<SignedRequest> sign_headers_in_steps(const HttpRequest& request, const AwsKeys& keys,
                                                          const SigningScope& scope, const SigningRules& rules);
[[nodiscard]] Result<SignedUrl> presign_in_steps(const HttpRequest& request, const AwsKeys& keys,
                                                 const SigningScope& scope, const SigningRules& rules, int expires_s);

} // namespace hostward::report
