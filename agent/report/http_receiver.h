// SPDX-License-Identifier: Apache-2.0
// What libcurl's callbacks fill: one answer within a limit.
#pragma once

#include "agent/report/http.h"

#include <cstddef>

namespace hostward::report {

struct HttpReceiver {
    HttpResponse response;
    std::size_t bytes_left = 0; ///< header lines count
    bool is_in_headers = true;  ///< trailers come after the body and are dropped
    bool is_too_large = false;
};

/// A header line, or a part of the body; `user` is the HttpReceiver. 0, which ends the exchange: it is too large.
[[nodiscard]] std::size_t on_http_header(char* data, std::size_t size, std::size_t count, void* user);
[[nodiscard]] std::size_t on_http_body(char* data, std::size_t size, std::size_t count, void* user);

} // namespace hostward::report
