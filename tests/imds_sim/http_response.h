// SPDX-License-Identifier: Apache-2.0
// An HTTP answer as data, and its bytes.
#pragma once

#include "tests/imds_sim/http_request.h"

#include <ctime>
#include <string>
#include <vector>

namespace hostward::imds_sim {

struct Response {
    int status = 200;
    std::string body; ///< always text/plain, JSON documents too, as the service does
    std::vector<Header> headers;
};

/// `404` gives `404 - Not Found` as status and body, as people see it on an instance.
[[nodiscard]] Response error_response(int status, std::string_view detail = {});

struct WireOptions {
    bool with_body = true; ///< false for HEAD: same headers, no body
    bool keep_alive = true;
    std::time_t now = 0; ///< for the Date header
};
[[nodiscard]] std::string to_wire(const Response& response, const WireOptions& options);

} // namespace hostward::imds_sim
