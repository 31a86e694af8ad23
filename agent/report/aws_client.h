// SPDX-License-Identifier: Apache-2.0
// Signed calls of one AWS service: endpoint, credentials, retries, and a clock that may be wrong.
#pragma once

#include "agent/report/http.h"
#include "agent/report/sink.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::report {

struct AwsRequest {
    std::string method = "POST";
    std::string path = "/";          ///< encoded as it is sent
    std::string host_prefix;         ///< `BUCKET.` before the service's host name; empty: none
    std::vector<HttpHeader> headers; ///< all are signed
    std::string body;
};

struct AwsAnswer {
    DeliveryResult result; ///< Done: the status is 2xx
    HttpResponse response; ///< of the last attempt; status 0: there was none
    std::string code;      ///< the service's error code, if it said one
};

/// Error code and message of an answer, whichever way the service writes them; empty where it has none.
struct AwsFault {
    std::string code;
    std::string message;
};
[[nodiscard]] AwsFault parse_aws_fault(const HttpResponse& response);

class AwsClient {
public:
    /// `service` is its signing name. `context` and what it names outlive the client.
    [[nodiscard]] static Result<std::unique_ptr<AwsClient>> open(const config::SinkConfig& config, std::string service,
                                                                 const SinkContext& context);

    /// The region of the sink: that of its configuration, or that of the report; empty: neither says one.
    [[nodiscard]] std::string region_for(const Report& report) const;

    /// At most kAttemptsMax times, besides once more with credentials asked anew and once more with the service's
    /// clock. No text of the result holds a secret.
    [[nodiscard]] AwsAnswer call(const AwsRequest& request, const std::string& region);

private:
    enum class Next { Return, Sleep, Again };
    AwsClient(config::SinkConfig config, std::string service, const SinkContext& context, std::unique_ptr<Http> http);
    [[nodiscard]] Result<std::string> base_url(const AwsRequest& request, const std::string& region) const;
    [[nodiscard]] Result<HttpRequest> sign(const AwsRequest& request, const std::string& region);
    [[nodiscard]] AwsAnswer send_once(const HttpRequest& request);
    [[nodiscard]] Next judge(AwsAnswer& answer);
    [[nodiscard]] bool corrects_clock(const AwsAnswer& answer);
    [[nodiscard]] bool asks_credentials_anew(const AwsAnswer& answer);
    [[nodiscard]] std::string message_of(const AwsFault& fault) const;

    config::SinkConfig config_;
    std::string service_;
    const SinkContext& context_;
    std::unique_ptr<Http> http_;
    Credentials credentials_;        ///< of the request that is being sent
    std::int64_t clock_ahead_s_ = 0; ///< what the service's clock is ahead of ours
    bool corrected_clock_ = false;   ///< in this call
    bool renewed_ = false;           ///< in this call: credentials
};

} // namespace hostward::report
