// SPDX-License-Identifier: Apache-2.0
// What libcurl's codes mean to us.
#pragma once

#include "agent/report/http.h"

namespace hostward::report {

/// How far an exchange came.
struct HttpProgress {
    bool has_address = false;
    bool is_connected = false;
    bool has_sent = false;
};

/// How it ended.
struct HttpEnd {
    int code = 0;             ///< a CURLcode
    std::string_view general; ///< libcurl's text for the code
    std::string_view detail;  ///< what it wrote for this exchange, or nothing
};

[[nodiscard]] HttpFailure http_failure(const HttpProgress& progress, const HttpEnd& end);

[[nodiscard]] HttpFailure too_large(std::size_t bytes_max);

} // namespace hostward::report
