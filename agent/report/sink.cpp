// SPDX-License-Identifier: Apache-2.0
#include "agent/report/sink.h"

#include "agent/report/sinks.h"

#include <algorithm>

namespace hostward::report {

namespace {

constexpr std::chrono::milliseconds kConnectTimeout{5000};

} // namespace

Result<std::unique_ptr<Http>> open_sink_http(const config::SinkConfig& config, const std::string& url,
                                             const SinkContext& context)
{
    HttpOptions options;
    options.connect_timeout = std::min<std::chrono::milliseconds>(kConnectTimeout, config.timeout);
    options.total_timeout = config.timeout;
    options.only_https = !url.starts_with("http:");
    options.proxy = config.proxy;
    options.ca_file = config.ca_file;
    options.client_certificate = config.client_certificate; // empty but for `https`
    options.client_key = config.client_key;
    return context.http ? context.http(options) : open_http(options);
}

Result<std::unique_ptr<Sink>> open_sink(const config::SinkConfig& config, const SinkContext& context)
{
    switch (config.type) {
    case config::SinkType::File: return open_file_sink(config, context);
    case config::SinkType::Https: return open_https_sink(config, context);
    case config::SinkType::S3: return open_s3_sink(config, context);
    case config::SinkType::SecurityHub: return open_securityhub_sink(config, context);
    case config::SinkType::SsmCompliance: return open_compliance_sink(config, context);
    case config::SinkType::CloudWatchLogs: return open_logs_sink(config, context);
    case config::SinkType::SsmInventory: return open_inventory_sink(config, context);
    }
    return invalid_error("a sink of an unknown type");
}

} // namespace hostward::report
