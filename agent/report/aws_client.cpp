// SPDX-License-Identifier: Apache-2.0
#include "agent/report/aws_client.h"

#include "agent/base/text.h"
#include "agent/report/aws_endpoint.h"
#include "agent/report/retry.h"
#include "agent/report/sinks.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>

namespace hostward::report {

namespace {

constexpr std::array<std::string_view, 9> kRetried{
    "RequestLimitExceeded", "SlowDown",        "TooManyRequestsException", "ProvisionedThroughputExceededException",
    "RequestTimeout",       "InternalFailure", "InternalException",        "ConditionalRequestConflict",
    "RequestThrottled",
};
// Of these, those that the service says of a wrong clock; the answer's Date tells.
constexpr std::array<std::string_view, 8> kClockCodes{
    "RequestTimeTooSkewed",  "RequestExpired", "RequestInTheFuture",    "InvalidSignatureException",
    "SignatureDoesNotMatch", "AuthFailure",    "AccessDeniedException", "AccessDenied",
};
constexpr std::array<std::string_view, 4> kExpired{"ExpiredToken", "ExpiredTokenException", "RequestExpired",
                                                   "TokenRefreshRequired"};
// The report is not at fault: a policy, a name or the time is, and people can mend that.
constexpr std::array<std::string_view, 7> kMendable{
    "NoSuchBucket",           "ResourceNotFoundException", "UnrecognizedClientException",
    "InvalidAccessException", "InvalidClientTokenId",      "LimitExceededException",
    "OptInRequired",
};

bool is_in(std::span<const std::string_view> list, std::string_view code)
{
    return std::ranges::find(list, code) != list.end();
}

bool is_retried(const AwsAnswer& answer)
{
    const int status = answer.response.status;
    return status == 429 || status == 500 || status == 502 || status == 503 || status == 504 ||
           answer.code.starts_with("Throttl") || is_in(kRetried, answer.code);
}

/// What an answer that no retry helps means for the report.
Delivery final_of(const AwsAnswer& answer)
{
    const int status = answer.response.status;
    const bool is_ours_to_wait = status == 401 || status == 403 || status == 404 || status == 407 || status < 400 ||
                                 is_in(kMendable, answer.code) || is_in(kExpired, answer.code) ||
                                 is_in(kClockCodes, answer.code);
    return is_ours_to_wait ? Delivery::Later : Delivery::Refused;
}

} // namespace

AwsClient::AwsClient(config::SinkConfig config, std::string service, const SinkContext& context,
                     std::unique_ptr<Http> http)
    : config_(std::move(config)), service_(std::move(service)), context_(context), http_(std::move(http))
{
}

Result<std::unique_ptr<AwsClient>> AwsClient::open(const config::SinkConfig& config, std::string service,
                                                   const SinkContext& context)
{
    if (context.credentials == nullptr) {
        return invalid_error("the sink " + quote(config.name) + " needs credentials, and there is no source of them");
    }
    TRY_ASSIGN(auto http, open_sink_http(config, config.endpoint, context));
    return std::unique_ptr<AwsClient>(
        std::make_unique<AwsClient>(AwsClient(config, std::move(service), context, std::move(http))));
}

std::string AwsClient::region_for(const Report& report) const
{
    return config_.region.empty() ? report.identity.region : config_.region;
}

Result<std::string> AwsClient::base_url(const AwsRequest& request, const std::string& region) const
{
    if (!is_region_name(region)) {
        return invalid_error(quote(region) + " is no region");
    }
    if (!config_.endpoint.empty()) {
        return config_.endpoint;
    }
    TRY_ASSIGN(std::string url, aws_endpoint(service_, {region, config_.fips, config_.dual_stack}));
    return url.insert(url.find("//") + 2, request.host_prefix);
}

Result<HttpRequest> AwsClient::sign(const AwsRequest& request, const std::string& region)
{
    TRY_ASSIGN(std::string url, base_url(request, region));
    const std::int64_t now_s = context_.now_s();
    // A time at which the kept ones are stale makes the source ask anew.
    const std::int64_t asked_s = renewed_ ? std::max(now_s, credentials_.expires_s) : now_s;
    TRY_ASSIGN(credentials_, context_.credentials->get(Role::InstanceProfile, asked_s));
    const HttpRequest plain{request.method, url + request.path, request.headers, request.body};
    return sign_headers(plain, credentials_.keys, {region, service_, now_s + clock_ahead_s_}, rules_for(service_));
}

/// The service's own words, unless they could repeat what we sent: a refused signature is explained with the whole
/// request, session token included.
std::string AwsClient::message_of(const AwsFault& fault) const
{
    const std::string& token = credentials_.keys.session_token;
    const std::string& secret = credentials_.keys.secret_access_key;
    const auto repeats = [&](const std::string& text) {
        constexpr std::size_t kPart = 16;
        return !text.empty() && fault.message.find(text.substr(0, kPart)) != std::string::npos;
    };
    const bool is_of_signature = fault.code.find("Signature") != std::string::npos;
    return fault.message.empty() || is_of_signature || repeats(token) || repeats(secret) ? ""
                                                                                         : ": " + shown(fault.message);
}

AwsAnswer AwsClient::send_once(const HttpRequest& request)
{
    AwsAnswer out;
    auto result = http_->send(request);
    if (const auto* failure = std::get_if<HttpFailure>(&result)) {
        out.result = later(service_ + ": " + failure->text);
        out.code = may_pass(failure->trouble) ? "RequestTimeout" : "";
        return out;
    }
    out.response = std::move(std::get<HttpResponse>(result));
    if (out.response.status >= 200 && out.response.status < 300) {
        return out;
    }
    const AwsFault fault = parse_aws_fault(out.response);
    out.code = fault.code;
    out.result.delivery = final_of(out);
    out.result.text = service_ + " answered " + std::to_string(out.response.status) +
                      (fault.code.empty() ? "" : " " + shown(fault.code)) + message_of(fault);
    return out;
}

bool AwsClient::corrects_clock(const AwsAnswer& answer)
{
    const auto header = answer.response.header("Date");
    const auto date = header ? parse_http_date(*header) : std::nullopt;
    if (corrected_clock_ || !date || !is_in(kClockCodes, answer.code)) {
        return false;
    }
    const std::int64_t ahead = *date - context_.now_s();
    if (std::abs(ahead - clock_ahead_s_) < kClockSkewS) {
        return false;
    }
    corrected_clock_ = true;
    clock_ahead_s_ = ahead;
    return true;
}

bool AwsClient::asks_credentials_anew(const AwsAnswer& answer)
{
    if (renewed_ || !is_in(kExpired, answer.code)) {
        return false;
    }
    renewed_ = true;
    return true;
}

AwsClient::Next AwsClient::judge(AwsAnswer& answer)
{
    if (answer.result.delivery == Delivery::Done) {
        return Next::Return;
    }
    if (corrects_clock(answer) || asks_credentials_anew(answer)) {
        return Next::Again;
    }
    if (is_retried(answer)) {
        answer.result.delivery = Delivery::Later;
        return Next::Sleep;
    }
    return Next::Return;
}

AwsAnswer AwsClient::call(const AwsRequest& request, const std::string& region)
{
    corrected_clock_ = false;
    renewed_ = false;
    for (int attempt = 0;;) {
        const auto signed_request = sign(request, region);
        if (!signed_request) {
            return {later(service_ + ": " + signed_request.error().text), {}, ""};
        }
        AwsAnswer answer = send_once(*signed_request);
        const Next next = judge(answer);
        if (next == Next::Return) {
            return answer;
        }
        if (next == Next::Again) {
            continue;
        }
        const auto sleep = sleep_before_retry(attempt, context_.random(), &answer.response, context_.now_s());
        if (++attempt == kAttemptsMax || !sleep) {
            return answer;
        }
        context_.sleep(*sleep);
    }
}

} // namespace hostward::report
