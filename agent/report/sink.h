// SPDX-License-Identifier: Apache-2.0
// Where reports go. One class per kind of receiver; each respects the receiver's limits by splitting.
#pragma once

#include "agent/base/result.h"
#include "agent/config/report_config.h"
#include "agent/report/credentials.h"
#include "agent/report/http.h"
#include "agent/report/identity.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace hostward::report {

/// A finished report as it lies in the spool.
struct Report {
    std::string id; ///< ULID: sorts by time
    std::uint64_t sequence = 0;
    std::int64_t created_s = 0;
    std::string bytes;         ///< the document, one line of JSON (docs/schema/posture-report.schema.json)
    InstanceIdentity identity; ///< whom it is of; empty fields where the metadata service did not say
};

/// The report in an envelope with a proof of this moment: a proof lasts minutes, a report may wait for hours.
using MakeEnvelope = std::function<Result<std::string>(const Report& report, const std::string& audience)>;

enum class Delivery {
    Done,
    Later,   ///< not this time: outage, throttling, expired credentials
    Refused, ///< sending the same again will not help: the report is too large, the receiver says no
};

struct DeliveryResult {
    Delivery delivery = Delivery::Done;
    std::string text; ///< of anything but Done: what happened, in words
};

class Sink {
public:
    virtual ~Sink() = default;
    [[nodiscard]] virtual const std::string& name() const = 0;
    /// Sends all of it, again if it was sent before: ids are made of the report, so a receiver has it once.
    /// CloudWatch Logs alone knows no ids: there the id is in each event.
    [[nodiscard]] virtual DeliveryResult deliver(const Report& report) = 0;
};

/// What sinks need of the rest. It outlives the sink, and so does what it names.
struct SinkContext {
    MakeEnvelope envelope;
    CredentialSource* credentials = nullptr;
    std::function<std::int64_t()> now_s;
    std::function<void(std::chrono::milliseconds)> sleep;
    std::function<double()> random; ///< in [0, 1), for jitter
    /// How connections are opened; none: open_http().
    std::function<Result<std::unique_ptr<Http>>(const HttpOptions& options)> http;
};

/// Invalid: a setting that cannot work, such as a CA file that is none.
[[nodiscard]] Result<std::unique_ptr<Sink>> open_sink(const config::SinkConfig& config, const SinkContext& context);

} // namespace hostward::report
