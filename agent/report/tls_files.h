// SPDX-License-Identifier: Apache-2.0
// PEM files for TLS, looked at before the first exchange: an error of the configuration is not an outage.
#pragma once

#include "agent/base/result.h"

#include <string>

namespace hostward::report {

/// Invalid: not readable, or no certificate in it.
[[nodiscard]] Status check_ca_file(const std::string& path);

/// Invalid: not readable, no certificate, no unencrypted private key, or the two do not belong together.
[[nodiscard]] Status check_client_files(const std::string& certificate, const std::string& key);

} // namespace hostward::report
