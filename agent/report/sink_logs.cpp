// SPDX-License-Identifier: Apache-2.0
// CloudWatch Logs: one event with the report's summary, one for each result that needs attention. The service knows no
// ids, so each event carries the report's id and its own number: a query sees an event that came twice.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
#include "agent/report/aws_client.h"
#include "agent/report/json_read.h"
#include "agent/report/posture_view.h"
#include "agent/report/retry.h"
#include "agent/report/sinks.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <span>

namespace hostward::report {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kEventOverhead = 26; // the service's own bounds
constexpr std::size_t kBatchBytesMax = 1'048'576;
constexpr std::size_t kBatchEventsMax = 10'000;
constexpr std::size_t kEventBytesMax =
    std::size_t{256} * 1024 - kEventOverhead; // 1 MB today, this in every region always
constexpr std::int64_t kOldestS = std::int64_t{14} * 24 * 3600;
constexpr std::int64_t kNewestS = std::int64_t{2} * 3600;
constexpr std::size_t kDetailsMax = 20;
constexpr std::size_t kDetailBytesMax = 2048;

Json event_json(const Report& report, std::size_t number, const char* kind)
{
    return {{"report", report.id}, {"event", number}, {"kind", kind}, {"instance_id", report.identity.instance_id}};
}

std::string summary_event(const Report& report, const PostureView& view)
{
    Json out = event_json(report, 0, "summary");
    if (view.summary.size() + 1024 < kEventBytesMax) {
        out["summary"] = Json::parse(view.summary, nullptr, false);
    } else {
        out["summary_dropped_bytes"] = view.summary.size();
    }
    return json_line(out);
}

std::string result_event(const Report& report, std::size_t number, const CheckResult& result)
{
    Json out = event_json(report, number, "result");
    out["profile"] = cut_text(result.profile, kDetailBytesMax);
    out["number"] = cut_text(result.number, kDetailBytesMax);
    out["title"] = cut_text(result.title, kDetailBytesMax);
    out["verdict"] = cut_text(result.verdict, kDetailBytesMax);
    out["severity"] = cut_text(result.severity, kDetailBytesMax);
    out["waived"] = result.is_waived();
    out["details"] = Json::array();
    for (const auto& detail : std::span(result.details).first(std::min(result.details.size(), kDetailsMax))) {
        out["details"].push_back(cut_text(detail, kDetailBytesMax));
    }
    return json_line(out);
}

std::vector<std::string> events_of(const Report& report, const PostureView& view)
{
    std::vector<std::string> out{summary_event(report, view)};
    for (const auto& result : view.results) {
        if (result.needs_attention()) {
            out.push_back(result_event(report, out.size(), result));
        }
    }
    return out;
}

/// What a 200 says was not kept, in words; empty: everything was.
std::string rejected_in(const std::string& body)
{
    const auto answer = nlohmann::json::parse(body, nullptr, false);
    if (!answer.is_object()) {
        return "CloudWatch Logs gave an answer that cannot be read";
    }
    const auto info = answer.find("rejectedLogEventsInfo");
    return info == answer.end() || info->is_null() || info->empty()
               ? ""
               : "CloudWatch Logs rejected events: " + shown(info->dump());
}

class LogsSink : public Sink {
public:
    LogsSink(config::SinkConfig config, const SinkContext& context, std::unique_ptr<AwsClient> client)
        : config_(std::move(config)), context_(context), client_(std::move(client))
    {
    }
    [[nodiscard]] const std::string& name() const override { return config_.name; }

    [[nodiscard]] DeliveryResult deliver(const Report& report) override
    {
        stream_ = config_.log_stream.empty() ? report.identity.instance_id : config_.log_stream;
        if (stream_.empty()) {
            return refused("the report does not say which instance it is of, and no log_stream is set");
        }
        const std::int64_t age_s = context_.now_s() - report.created_s;
        if (age_s > kOldestS) {
            return refused("the report is older than 14 days: CloudWatch Logs takes no events of that age");
        }
        if (age_s < -kNewestS) {
            return later("the report is of a time more than 2 hours ahead: CloudWatch Logs takes it only then");
        }
        const auto view = view_posture(report.bytes);
        if (!view) {
            return refused(view.error().text);
        }
        const auto events = events_of(report, *view);
        for (std::span<const std::string> rest(events); !rest.empty();) {
            DeliveryResult sent = put_some(rest, report);
            if (sent.delivery != Delivery::Done) {
                return sent;
            }
        }
        return done();
    }

private:
    /// Takes as many events off `rest` as one call may carry, and sends them.
    DeliveryResult put_some(std::span<const std::string>& rest, const Report& report)
    {
        std::size_t count = 0;
        std::size_t bytes = 0;
        while (count < rest.size() && count < kBatchEventsMax &&
               bytes + rest[count].size() + kEventOverhead <= kBatchBytesMax) {
            bytes += rest[count++].size() + kEventOverhead;
        }
        Json events = Json::array();
        for (const auto& event : rest.first(count)) {
            events.push_back({{"timestamp", report.created_s * 1000}, {"message", event}});
        }
        rest = rest.subspan(count);
        const Json body{{"logGroupName", config_.log_group}, {"logStreamName", stream_}, {"logEvents", events}};
        return put(body, client_->region_for(report));
    }

    DeliveryResult put(const Json& body, const std::string& region)
    {
        AwsAnswer answer = call("PutLogEvents", body, region);
        if (answer.code == "ResourceNotFoundException") {
            DeliveryResult made = make_stream(region);
            if (made.delivery != Delivery::Done) {
                return made;
            }
            answer = call("PutLogEvents", body, region);
        }
        if (answer.result.delivery != Delivery::Done) {
            return answer.result;
        }
        const std::string rejected = rejected_in(answer.response.body);
        return rejected.empty() ? done() : refused(rejected);
    }

    DeliveryResult make_stream(const std::string& region)
    {
        const Json group{{"logGroupName", config_.log_group}};
        const Json stream{{"logGroupName", config_.log_group}, {"logStreamName", stream_}};
        // Where the group is there already, the permission to make one is not needed: the stream decides.
        const AwsAnswer made_group = call("CreateLogGroup", group, region);
        const AwsAnswer made = call("CreateLogStream", stream, region);
        const bool is_there = made.result.delivery == Delivery::Done || made.code == "ResourceAlreadyExistsException";
        if (is_there) {
            return done();
        }
        const bool has_group =
            made_group.result.delivery == Delivery::Done || made_group.code == "ResourceAlreadyExistsException";
        return has_group ? made.result : later(made_group.result.text);
    }

    AwsAnswer call(const std::string& operation, const Json& body, const std::string& region)
    {
        AwsRequest request;
        request.headers = {{"Content-Type", "application/x-amz-json-1.1"},
                           {"X-Amz-Target", "Logs_20140328." + operation}};
        request.body = json_line(body);
        return client_->call(request, region);
    }

    config::SinkConfig config_;
    const SinkContext& context_;
    std::unique_ptr<AwsClient> client_;
    std::string stream_; ///< of the report that is being delivered
};

} // namespace

OpenedSink open_logs_sink(const config::SinkConfig& config, const SinkContext& context)
{
    TRY_ASSIGN(auto client, AwsClient::open(config, "logs", context));
    return std::unique_ptr<Sink>(std::make_unique<LogsSink>(config, context, std::move(client)));
}

} // namespace hostward::report
