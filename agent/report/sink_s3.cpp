// SPDX-License-Identifier: Apache-2.0
// One object per report. The key is made of the report alone, so a resend meets the same key and stores nothing twice.
#include "agent/report/aws_client.h"
#include "agent/report/base64.h"
#include "agent/report/digest.h"
#include "agent/report/gzip.h"
#include "agent/report/posture_view.h"
#include "agent/report/retry.h"
#include "agent/report/sigv4_canonical.h"
#include "agent/report/sinks.h"
#include "hardening/formats/wording.h"

#include <algorithm>

namespace hostward::report {

namespace {

constexpr int kPreconditionFailed = 412;
constexpr std::string_view kUnknown = "unknown";

/// A part of a key: what the metadata service said, if it can be one.
std::string part(const std::string& text)
{
    const bool is_plain = !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
    return is_plain ? text : std::string(kUnknown);
}

/// `PREFIXposture/v1/account=A/region=R/dt=YYYY-MM-DD/hour=HH/INSTANCE-ID.json.gz`, by the time the report was made.
std::string key_of(const Report& report, const std::string& prefix)
{
    const InstanceIdentity& who = report.identity;
    const std::string time = hardening::iso_time(report.created_s);
    return prefix + "posture/v1/account=" + part(who.account_id) + "/region=" + part(who.region) +
           "/dt=" + time.substr(0, 10) + "/hour=" + time.substr(11, 2) + "/" + part(who.instance_id) + "-" + report.id +
           ".json.gz";
}

class S3Sink : public Sink {
public:
    S3Sink(config::SinkConfig config, const SinkContext& context, std::unique_ptr<AwsClient> client)
        : config_(std::move(config)), context_(context), client_(std::move(client))
    {
    }
    [[nodiscard]] const std::string& name() const override { return config_.name; }

    [[nodiscard]] DeliveryResult deliver(const Report& report) override
    {
        const auto request = request_for(report);
        if (!request) {
            return later(request.error().text);
        }
        const AwsAnswer answer = client_->call(*request, client_->region_for(report));
        return answer.response.status == kPreconditionFailed ? done() : answer.result; // it was stored before
    }

private:
    [[nodiscard]] Result<AwsRequest> request_for(const Report& report) const
    {
        TRY_ASSIGN(const std::string envelope, context_.envelope(report, config_.audience));
        AwsRequest out;
        TRY_ASSIGN(out.body, gzip(envelope));
        out.method = "PUT";
        // The wildcard certificate of S3 does not match a bucket's name with dots; an endpoint of one's own has no
        // names of buckets at all.
        const bool is_in_path = !config_.endpoint.empty() || config_.bucket.find('.') != std::string::npos;
        out.host_prefix = is_in_path ? "" : config_.bucket + ".";
        out.path = (is_in_path ? "/" + config_.bucket : "") + "/" + uri_encode(key_of(report, config_.prefix), true);
        out.headers = {{"Content-Type", "application/json"},
                       {"Content-Encoding", "gzip"},
                       {"If-None-Match", "*"},
                       {"x-amz-checksum-sha256", base64(sha256_bytes(out.body))}};
        if (!config_.expected_bucket_owner.empty()) {
            out.headers.push_back({"x-amz-expected-bucket-owner", config_.expected_bucket_owner});
        }
        return out;
    }

    config::SinkConfig config_;
    const SinkContext& context_;
    std::unique_ptr<AwsClient> client_;
};

} // namespace

OpenedSink open_s3_sink(const config::SinkConfig& config, const SinkContext& context)
{
    TRY_ASSIGN(auto client, AwsClient::open(config, "s3", context));
    return std::unique_ptr<Sink>(std::make_unique<S3Sink>(config, context, std::move(client)));
}

} // namespace hostward::report
