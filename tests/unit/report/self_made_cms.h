// SPDX-License-Identifier: Apache-2.0
// Messages as a forger would make them.
#pragma once

#include <string>
#include <string_view>

namespace hostward::report {

struct Forgery {
    int serial = 1;
    std::string names_of; ///< PEM file whose subject, issuer and serial number the certificate takes over
    bool carries_certificate = true;
};

/// Base64 of a CMS message over `document`, signed with a key made here.
[[nodiscard]] std::string self_made_cms(std::string_view document, const Forgery& forgery);

/// The same message without its content, base64.
[[nodiscard]] std::string detached_cms(std::string_view base64);

/// A message that carries `document` and signs nothing, base64.
[[nodiscard]] std::string data_cms(std::string_view document);

/// The same message with three bytes behind it, base64.
[[nodiscard]] std::string with_bytes_behind(std::string_view base64);

} // namespace hostward::report
