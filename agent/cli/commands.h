// SPDX-License-Identifier: Apache-2.0
// The commands. Each prints its result and returns how to end, or an error that main() logs and maps.
#pragma once

#include "agent/cli/options.h"
#include "agent/cli/output.h"

namespace hostward::cli {

[[nodiscard]] Result<ExitCode> guard_run(const CommandLine& line, const Streams& streams);
[[nodiscard]] Result<ExitCode> guard_load(const CommandLine& line, const Streams& streams);
[[nodiscard]] Result<ExitCode> guard_unload(const CommandLine& line, const Streams& streams);
[[nodiscard]] Result<ExitCode> guard_status(const CommandLine& line, const Streams& streams);
[[nodiscard]] Result<ExitCode> guard_metrics(const CommandLine& line, const Streams& streams);
[[nodiscard]] Result<ExitCode> guard_events(const CommandLine& line, const Streams& streams);
[[nodiscard]] Result<ExitCode> guard_explain(const CommandLine& line, const Streams& streams);
/// guard explain --policy without a caller.
[[nodiscard]] Result<ExitCode> guard_simulate(const CommandLine& line, const Streams& streams);
[[nodiscard]] Result<ExitCode> guard_learn(const CommandLine& line, const Streams& streams);
[[nodiscard]] Result<ExitCode> guard_doctor(const CommandLine& line, const Streams& streams);
[[nodiscard]] Result<ExitCode> check(const CommandLine& line, const Streams& streams);
[[nodiscard]] Result<ExitCode> verify(const CommandLine& line, const Streams& streams);
/// check --posture: what `report` sends.
[[nodiscard]] Result<ExitCode> collect_posture(const CommandLine& line, const Streams& streams);
[[nodiscard]] Result<ExitCode> report(const CommandLine& line, const Streams& streams);
[[nodiscard]] Result<ExitCode> config_check(const CommandLine& line, const Streams& streams);
[[nodiscard]] Result<ExitCode> config_print(const CommandLine& line, const Streams& streams);

} // namespace hostward::cli
