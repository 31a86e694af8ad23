// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/commands.h"
#include "agent/cli/status_view.h"
#include "agent/cli/summary.h"
#include "agent/guard/metrics_text.h"
#include "agent/guard/rows.h"

namespace hostward::cli {

Result<ExitCode> guard_status(const CommandLine& line, const Streams& streams)
{
    TRY_ASSIGN(auto status, guard::read_status(line.guard));
    if (!status.loaded) {
        guard::RowContext absent;
        absent.loaded = false;
        status.rows = guard::rows_status({}, absent);
    }
    if (line.summary_line) {
        streams.out.print(bounded(guard_summary(status), status_text(status), line.chars_max,
                                  "hostward guard status --json has them"));
    } else {
        streams.out.print(line.json ? status_json(status) : status_text(status));
    }
    return status.loaded ? ExitCode::Ok : ExitCode::NotLoaded;
}

Result<ExitCode> guard_metrics(const CommandLine& line, const Streams& streams)
{
    TRY_ASSIGN(const auto status, guard::read_status(line.guard));
    streams.out.print(guard::metrics_text(status, HOSTWARD_VERSION, std::nullopt));
    return status.loaded ? ExitCode::Ok : ExitCode::NotLoaded;
}

} // namespace hostward::cli
