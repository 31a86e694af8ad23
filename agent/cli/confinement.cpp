// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/confinement.h"

#include <unistd.h>

namespace hostward::cli {

using sandbox::Program;

Program program_of(const CommandLine& line)
{
    switch (line.command) {
    case Command::GuardRun: return Program::Guard;
    case Command::GuardLoad:
    case Command::GuardUnload: return Program::GuardChange;
    case Command::GuardStatus:
    case Command::GuardMetrics:
    case Command::GuardEvents: return Program::GuardRead;
    case Command::GuardExplain:
    case Command::GuardLearn:
    case Command::ConfigCheck: return Program::GuardExplain; // it looks at program files with the kernel's eyes, too
    case Command::GuardDoctor: return Program::GuardDoctor;
    case Command::Check: return Program::Check;
    case Command::Report: return ::geteuid() == 0 ? Program::ReportCollect : Program::Report;
    case Command::Verify: return Program::Verify;
    case Command::ConfigPrint: return Program::Config;
    }
    return Program::Config;
}

sandbox::Output output_of(const CommandLine& line)
{
    const bool is_named = (line.command == Command::Check && !line.check.output.empty()) ||
                          (line.command == Command::GuardLearn && !line.learn.output.empty()) ||
                          (line.command == Command::Verify && !line.verify.nonces.empty());
    return is_named ? sandbox::Output::Named : sandbox::Output::Own;
}

} // namespace hostward::cli
