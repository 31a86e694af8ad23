// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/commands.h"
#include "agent/cli/doctor_view.h"
#include "agent/guard/guard.h"

namespace hostward::cli {

Result<ExitCode> guard_doctor(const CommandLine& line, const Streams& streams)
{
    const auto findings = guard::diagnose(guard::examine(line.guard, {line.config, line.preset_dir}));
    streams.out.print(line.json ? doctor_json(findings) : doctor_text(findings));
    return doctor_exit_code(guard::worst_of(findings));
}

} // namespace hostward::cli
