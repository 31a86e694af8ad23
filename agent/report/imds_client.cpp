// SPDX-License-Identifier: Apache-2.0
#include "agent/report/imds_client.h"

#include "agent/base/text.h"
#include "agent/report/retry.h"

#include <algorithm>

namespace hostward::report {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kTokenHeader = "X-aws-ec2-metadata-token";
constexpr auto kTtlHeader = "X-aws-ec2-metadata-token-ttl-seconds";
constexpr std::size_t kTokenBytesMax = 4096;
constexpr seconds kTokenMargin{5};
/// Longer than a second: what leaves at the right time may still arrive closer together.
constexpr milliseconds kPaceWindow{1050};
constexpr auto kTokenCall = "the token call";

bool is_token(const std::string& text)
{
    return !text.empty() && text.size() <= kTokenBytesMax &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

bool is_busy(const HttpResult& result)
{
    const auto* response = std::get_if<HttpResponse>(&result);
    return response != nullptr && (response->status == 429 || response->status >= 500);
}

bool is_worth_another(const HttpResult& result)
{
    const auto* failure = std::get_if<HttpFailure>(&result);
    return failure != nullptr ? failure->trouble == HttpTrouble::Broken : is_busy(result);
}

Error failure_error(const HttpFailure& failure, const std::string& endpoint, const std::string& what)
{
    switch (failure.trouble) {
    case HttpTrouble::Resolve:
    case HttpTrouble::Connect:
        return Error{ErrorKind::System, 0, "no metadata service at " + quote(endpoint) + ": " + failure.text};
    case HttpTrouble::NoAnswer:
        if (what == kTokenCall) {
            return Error{ErrorKind::System, 0,
                         "the metadata service accepts connections, but its answer to the token call does not arrive: "
                         "the hop limit of the instance (HttpPutResponseHopLimit) is too small for this place, such as "
                         "a container"};
        }
        break;
    case HttpTrouble::Tls:
    case HttpTrouble::Broken:
    case HttpTrouble::TooLarge:
    case HttpTrouble::Local: break;
    }
    return Error{ErrorKind::System, 0, "the metadata service did not answer " + what + ": " + failure.text};
}

Error status_error(int status, const std::string& what)
{
    const std::string text = "the metadata service answered " + what + " with " + std::to_string(status);
    switch (status) {
    case 400: return Error{ErrorKind::System, 0, text + " (it calls the request wrong)"};
    case 401: return Error{ErrorKind::Denied, 0, text + " (it refuses the token, a new one too)"};
    case 403:
        return Error{ErrorKind::Denied, 0, text + " (the instance's options or a rule forbid it: is the service off?)"};
    case 404: return Error{ErrorKind::NotFound, 0, text + " (there is no such item)"};
    case 405: return Error{ErrorKind::System, 0, text + " (it does not know this method)"};
    default: break;
    }
    if (status == 429 || status >= 500) {
        return Error{ErrorKind::Exhausted, 0,
                     text + " (throttled or out of order) after " + std::to_string(kImdsAttempts) + " attempts"};
    }
    return Error{ErrorKind::System, 0, text};
}

/// A service without token call is version 1, which is never used.
Error token_status_error(int status)
{
    return status == 404 ? Error{ErrorKind::Unsupported, 0,
                                 "the metadata service answered the token call with 404: it has no version 2"}
                         : status_error(status, kTokenCall);
}

} // namespace

HttpResult ImdsClient::send_paced(const HttpRequest& request)
{
    if (sent_.size() >= static_cast<std::size_t>(kImdsRequestsPerS)) {
        const auto wait = std::chrono::ceil<milliseconds>(sent_.front() + kPaceWindow - clock_.now());
        if (wait.count() > 0) {
            clock_.sleep(wait);
        }
        sent_.pop_front();
    }
    sent_.push_back(clock_.now());
    return http_->send(request);
}

Result<HttpResponse> ImdsClient::ask(const HttpRequest& request, const std::string& what)
{
    HttpResult result = send_paced(request);
    milliseconds limit = kImdsBackoff;
    for (int attempt = 1; attempt < kImdsAttempts && is_worth_another(result); ++attempt) {
        clock_.sleep(
            milliseconds(static_cast<milliseconds::rep>(clock_.random() * static_cast<double>(limit.count()))));
        limit = std::min(limit * 2, kImdsBackoffMax);
        result = send_paced(request);
    }
    if (const auto* failure = std::get_if<HttpFailure>(&result)) {
        return failure_error(*failure, options_.endpoint, what);
    }
    auto response = std::get<HttpResponse>(std::move(result));
    const auto header = response.header("Date");
    last_date_s_ = header ? parse_http_date(*header) : std::nullopt;
    return response;
}

Status ImdsClient::take_token()
{
    if (!token_.empty() && clock_.now() < token_until_) {
        return success();
    }
    if (absent_ && clock_.now() < absent_until_) {
        return *absent_;
    }
    token_.clear();
    const auto asked = clock_.now();
    auto answer = ask({.method = "PUT",
                       .url = options_.endpoint + "/latest/api/token",
                       .headers = {{kTtlHeader, std::to_string(kTokenTtlS)}},
                       .body = {}},
                      kTokenCall);
    if (!answer) {
        absent_ = answer.error();
        absent_until_ = clock_.now() + kImdsAbsentFor;
        return answer.error();
    }
    absent_.reset();
    if (answer->status != 200) {
        return token_status_error(answer->status);
    }
    if (!is_token(answer->body)) {
        return Error{ErrorKind::System, 0,
                     "the metadata service answered the token call with something that is no token"};
    }
    token_ = std::move(answer->body);
    token_until_ = asked + seconds(kTokenTtlS) - kTokenMargin;
    return success();
}

Result<HttpResponse> ImdsClient::ask_item(const std::string& path)
{
    TRY(take_token());
    return ask({.method = "GET",
                .url = options_.endpoint + "/latest/" + path,
                .headers = {{kTokenHeader, token_}},
                .body = {}},
               quote(path));
}

Result<std::string> ImdsClient::get(const std::string& path)
{
    if (options_.disabled) {
        return Error{ErrorKind::Unsupported, 0, "the metadata service is disabled by AWS_EC2_METADATA_DISABLED"};
    }
    TRY_ASSIGN(HttpResponse answer, ask_item(path));
    if (answer.status == 401) { // expired early, or the service lost it
        token_.clear();
        TRY_ASSIGN(answer, ask_item(path));
    }
    if (answer.status != 200) {
        return status_error(answer.status, quote(path));
    }
    return std::move(answer.body);
}

} // namespace hostward::report
