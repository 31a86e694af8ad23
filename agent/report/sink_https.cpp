// SPDX-License-Identifier: Apache-2.0
// A collector of the fleet's owner: POST of the envelope, gzip, with the report's id in a header.
#include "agent/base/text.h"
#include "agent/report/gzip.h"
#include "agent/report/retry.h"
#include "agent/report/sinks.h"

#include <algorithm>

namespace hostward::report {

namespace {

constexpr std::size_t kWordMax = 40;

/// The collector's words. It may repeat what it got, and an envelope holds a session token: a text with something as
/// long as one is left out.
std::string words_of(const std::string& body)
{
    const std::string text = shown(body);
    const auto words = split(text, ' ');
    const bool is_plain = std::ranges::all_of(words, [](std::string_view one) { return one.size() <= kWordMax; });
    return text.empty() || !is_plain ? "" : ": " + text;
}

class HttpsSink : public Sink {
public:
    HttpsSink(config::SinkConfig config, const SinkContext& context, std::unique_ptr<Http> http)
        : config_(std::move(config)), context_(context), http_(std::move(http))
    {
    }
    [[nodiscard]] const std::string& name() const override { return config_.name; }

    [[nodiscard]] DeliveryResult deliver(const Report& report) override
    {
        auto request = request_for(report);
        if (!request) {
            return later(request.error().text);
        }
        for (int attempt = 0;;) {
            const HttpResult result = http_->send(*request);
            const auto* response = std::get_if<HttpResponse>(&result);
            DeliveryResult judged = judge(result);
            if (judged.delivery != Delivery::Later || !is_retried(result)) {
                return judged;
            }
            const auto sleep = sleep_before_retry(attempt, context_.random(), response, context_.now_s());
            if (++attempt == kAttemptsMax || !sleep) {
                return judged;
            }
            context_.sleep(*sleep);
        }
    }

private:
    [[nodiscard]] Result<HttpRequest> request_for(const Report& report) const
    {
        TRY_ASSIGN(const std::string envelope, context_.envelope(report, config_.audience));
        TRY_ASSIGN(std::string body, gzip(envelope));
        return HttpRequest{
            "POST",
            config_.url,
            {{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}, {"Hostward-Report-Id", report.id}},
            std::move(body)};
    }

    static bool is_retried(const HttpResult& result)
    {
        if (const auto* failure = std::get_if<HttpFailure>(&result)) {
            return may_pass(failure->trouble);
        }
        const int status = std::get<HttpResponse>(result).status;
        return status == 408 || status == 425 || status == 429 || status >= 500;
    }

    static DeliveryResult judge(const HttpResult& result)
    {
        if (const auto* failure = std::get_if<HttpFailure>(&result)) {
            return later("collector: " + failure->text);
        }
        const auto& response = std::get<HttpResponse>(result);
        const int status = response.status;
        if ((status >= 200 && status < 300) || status == 409) { // 409: it has this id
            return done();
        }
        const std::string text = "the collector answered " + std::to_string(status) + words_of(response.body);
        // A refused client, a wrong path or a redirect are not the report's fault, and people can mend them.
        const bool is_mendable = status < 400 || status == 401 || status == 403 || status == 404 || status == 407;
        return is_mendable || is_retried(result) ? later(text) : refused(text);
    }

    config::SinkConfig config_;
    const SinkContext& context_;
    std::unique_ptr<Http> http_;
};

} // namespace

OpenedSink open_https_sink(const config::SinkConfig& config, const SinkContext& context)
{
    TRY_ASSIGN(auto http, open_sink_http(config, config.url, context));
    return std::unique_ptr<Sink>(std::make_unique<HttpsSink>(config, context, std::move(http)));
}

} // namespace hostward::report
