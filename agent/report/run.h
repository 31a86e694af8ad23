// SPDX-License-Identifier: Apache-2.0
// One run: who we are, the report, into the spool, out to the sinks.
#pragma once

#include "agent/config/report_config.h"
#include "agent/report/imds.h"
#include "agent/report/sink.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::report {

/// What a run takes from outside.
struct RunSettings {
    config::ReportConfig config;
    std::vector<std::string> only_sinks; ///< names; none: all
    std::string nonce;                   ///< a receiver's challenge; empty: a random one for each proof
};

struct RunInputs {
    std::string posture;  ///< one JSON object on one line
    Imds* imds = nullptr; ///< null: there is none to ask, imds_problem says why
    std::string imds_problem;
    std::function<std::int64_t()> now_s;
    std::function<void(std::chrono::milliseconds)> sleep;
    std::function<double()> random; ///< in [0, 1): jitter only. Ids and nonces have the kernel's
};

struct SinkOutcome {
    std::string sink;
    std::size_t sent = 0;
    std::size_t refused = 0; ///< given up: the receiver will never take them
    std::size_t waiting = 0; ///< stay in the spool for the next run
    std::string text;        ///< the last problem; empty: none
};

struct RunResult {
    Report report;
    std::string identity_problem; ///< empty: the instance is known
    std::vector<SinkOutcome> sinks;
    std::vector<std::string> notes; ///< of the spool: dropped, damaged; of the clock
};

/// Makes a report, keeps it and sends all that waits. An error: nothing new was kept, and nothing sent. Problems of
/// single sinks are values.
[[nodiscard]] Result<RunResult> run_report(const RunSettings& settings, const RunInputs& inputs);

/// The report that run_report() would make, with the sequence number 0. Nothing is kept or sent to sinks.
[[nodiscard]] Result<Report> preview_report(const RunInputs& inputs);

} // namespace hostward::report
