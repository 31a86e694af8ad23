// SPDX-License-Identifier: Apache-2.0
// One signed message of the metadata service, checked with one certificate.
#pragma once

#include "agent/base/result.h"

#include <string>
#include <string_view>

namespace hostward::report {

/// What stands in base64 with white space anywhere. Invalid: any other byte, or cut off.
[[nodiscard]] Result<std::string> decode_base64(std::string_view text);

/// The content that the message carries, if the key of `pem` signed it. Certificates within the message count for
/// nothing. Every refusal has a text of its own. NotFound: it names another certificate; Invalid: all others.
[[nodiscard]] Result<std::string> verified_content(std::string_view der, std::string_view pem);

} // namespace hostward::report
