// SPDX-License-Identifier: Apache-2.0
// The documented semantics of the instance metadata service, version 1 and 2: request in, answer out. No I/O.
#pragma once

#include "tests/imds_sim/faults.h"
#include "tests/imds_sim/http_request.h"
#include "tests/imds_sim/http_response.h"
#include "tests/imds_sim/token.h"
#include "tests/imds_sim/tree.h"

#include <chrono>
#include <string>

namespace hostward::imds_sim {

/// How a request showed who it is, for the log.
enum class Credential { None, Token, ExpiredToken, InvalidToken, TokenCall };

struct Answer {
    Response response;
    Credential credential = Credential::None;
    std::string path;       ///< decoded, without query
    int ttl_seconds = 0;    ///< of the token given; 0: none was
    bool is_put = false;    ///< the answer leaves with the hop limit
    bool throttled = false; ///< the answer is the throttle's, not the service's
};

struct Now {
    std::chrono::steady_clock::time_point steady; ///< for tokens: a clock that is set must not change them
    std::time_t wall = 0;                         ///< for credentials' expiry
};

class Service {
public:
    Service(Tree tree, TokenIssuer issuer) : tree_(std::move(tree)), issuer_(std::move(issuer)) {}

    /// The answer under `settings`, with the throttle and the status fault applied; the faults of the transport
    /// (slow, garbage, reset, hang) are the server's.
    [[nodiscard]] Answer answer(const Request& request, const Settings& settings, const Now& now);

private:
    [[nodiscard]] Response put(const Request& request, const Now& now, Answer& answer);
    [[nodiscard]] Response get(const Request& request, const Settings& settings, const Now& now, Answer& answer);
    [[nodiscard]] Response respond(const Request& request, const Settings& settings, const Now& now, Answer& answer);

    Tree tree_;
    TokenIssuer issuer_;
    Throttle throttle_;
};

/// True when the faults are meant for this kind of request.
[[nodiscard]] bool is_in_scope(FaultScope scope, bool is_put);

} // namespace hostward::imds_sim
