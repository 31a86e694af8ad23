// SPDX-License-Identifier: Apache-2.0
// One HTTP exchange at a time over one kept connection. The only door of this folder to the network.
#pragma once

#include "agent/base/result.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hostward::report {

struct HttpHeader {
    std::string name;
    std::string value;
};

struct HttpRequest {
    std::string method = "GET";
    std::string url; ///< absolute, already encoded: sent as it is
    std::vector<HttpHeader> headers;
    std::string body; ///< sent with its Content-Length; none: no body at all
};

struct HttpResponse {
    int status = 0;
    std::vector<HttpHeader> headers;
    std::string body;

    /// Value of the first header of this name (any case), or nothing.
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

/// How far an exchange came that brought no answer.
enum class HttpTrouble {
    Resolve,  ///< no address of that name
    Connect,  ///< refused, unreachable, or not connected in time
    NoAnswer, ///< connected, but no complete answer in time: of the metadata service the sign of its hop limit
    Tls,      ///< certificate, host name or protocol refused
    Broken,   ///< the peer closed, reset, or sent no HTTP
    TooLarge, ///< more than HttpOptions::response_bytes_max
    Local,    ///< nothing was sent: bad URL, no memory
};

struct HttpFailure {
    HttpTrouble trouble = HttpTrouble::Local;
    std::string text; ///< for people; holds no header and no body
};

using HttpResult = std::variant<HttpResponse, HttpFailure>;

class Http {
public:
    virtual ~Http() = default;
    /// Any status is an answer. Redirects are answers, never followed.
    [[nodiscard]] virtual HttpResult send(const HttpRequest& request) = 0;
};

/// Where the environment's proxy variables are never looked at.
struct HttpOptions {
    std::chrono::milliseconds connect_timeout{5000};
    std::chrono::milliseconds total_timeout{30000}; ///< of one exchange, connecting included
    std::size_t response_bytes_max = std::size_t{1} << 20;
    bool only_https = true;
    std::string proxy;              ///< URL; empty: none
    std::string ca_file;            ///< PEM file, believed instead of the system's store; empty: the system's
    std::string client_certificate; ///< PEM files; empty: none
    std::string client_key;
};

/// TLS 1.2 or newer, certificate and host name checked; no option turns that off. Invalid: a file that cannot be used.
[[nodiscard]] Result<std::unique_ptr<Http>> open_http(const HttpOptions& options);

} // namespace hostward::report
