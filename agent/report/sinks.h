// SPDX-License-Identifier: Apache-2.0
// The makers of all sinks; open_sink() picks one. Limits and settings: docs/sinks.md.
#pragma once

#include "agent/report/http.h"
#include "agent/report/sink.h"

#include <memory>
#include <string>

namespace hostward::report {

/// A connection with the sink's settings, by `context.http` if that is set. `url`: where to; empty: an endpoint of AWS.
[[nodiscard]] Result<std::unique_ptr<Http>> open_sink_http(const config::SinkConfig& config, const std::string& url,
                                                           const SinkContext& context);

using OpenedSink = Result<std::unique_ptr<Sink>>;

[[nodiscard]] OpenedSink open_file_sink(const config::SinkConfig& config, const SinkContext& context);
[[nodiscard]] OpenedSink open_https_sink(const config::SinkConfig& config, const SinkContext& context);
[[nodiscard]] OpenedSink open_s3_sink(const config::SinkConfig& config, const SinkContext& context);
[[nodiscard]] OpenedSink open_securityhub_sink(const config::SinkConfig& config, const SinkContext& context);
[[nodiscard]] OpenedSink open_compliance_sink(const config::SinkConfig& config, const SinkContext& context);
[[nodiscard]] OpenedSink open_logs_sink(const config::SinkConfig& config, const SinkContext& context);
[[nodiscard]] OpenedSink open_inventory_sink(const config::SinkConfig& config, const SinkContext& context);

} // namespace hostward::report
