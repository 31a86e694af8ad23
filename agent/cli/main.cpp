// SPDX-License-Identifier: Apache-2.0
#include "agent/base/log.h"
#include "agent/cli/commands.h"
#include "agent/cli/confinement.h"
#include "agent/cli/summary.h"
#include "agent/sandbox/process.h"
#include "agent/sandbox/sandbox.h"

#include <unistd.h>

#include <cstdio>
#include <exception>

namespace hostward::cli {

namespace {

Result<ExitCode> dispatch(const CommandLine& line, const Streams& streams)
{
    switch (line.command) {
    case Command::GuardRun: return guard_run(line, streams);
    case Command::GuardLoad: return guard_load(line, streams);
    case Command::GuardUnload: return guard_unload(line, streams);
    case Command::GuardStatus: return guard_status(line, streams);
    case Command::GuardMetrics: return guard_metrics(line, streams);
    case Command::GuardEvents: return guard_events(line, streams);
    case Command::GuardExplain: return guard_explain(line, streams);
    case Command::GuardLearn: return guard_learn(line, streams);
    case Command::GuardDoctor: return guard_doctor(line, streams);
    case Command::Check: return check(line, streams);
    case Command::Report: return report(line, streams);
    case Command::ConfigCheck: return config_check(line, streams);
    case Command::ConfigPrint: return config_print(line, streams);
    case Command::Verify: return verify(line, streams);
    }
    return ExitCode::Failed;
}

/// As the summary line of the command calls it.
const char* summary_name(Command command)
{
    return command == Command::Check ? "check" : command == Command::Report ? "report" : "guard";
}

Result<ExitCode> confined(const CommandLine& line, const Streams& streams)
{
    TRY(sandbox::enter(program_of(line), output_of(line), line.enforcement));
    return dispatch(line, streams);
}

ExitCode execute(const CommandLine& line, const Streams& streams)
{
    const auto code = confined(line, streams);
    if (!code) {
        log_error(code.error().text);
        if (line.summary_line) {
            streams.out.print(error_summary(summary_name(line.command), code.error()));
        }
        return exit_code_of(code.error().kind);
    }
    return *code;
}

ExitCode answer(const Answer& answer, const Streams& streams)
{
    (answer.code == ExitCode::Ok ? streams.out : streams.err).print(answer.text);
    return answer.code;
}

/// A result that did not arrive is a failure, whatever the command thinks of it.
ExitCode finish(ExitCode code, Output& out)
{
    const bool reader_is_gone = out.reader_is_gone();
    const Status written = out.finish();
    if (written) {
        return code;
    }
    if (!reader_is_gone) {
        log_error(written.error().text);
    }
    return code == ExitCode::Ok || code == ExitCode::Findings ? ExitCode::Failed : code;
}

int run(int argc, const char* const* argv)
{
    const auto enforcement = sandbox::wanted_enforcement();
    sandbox::prepare_process();
    set_log(sandbox::is_journal(STDERR_FILENO) ? LogStyle::Journal : LogStyle::Plain, LogLevel::Info);
    Output out(STDOUT_FILENO);
    Output err(STDERR_FILENO);
    const Streams streams{out, err};
    auto parsed = parse_command_line(argc, argv);
    auto* line = std::get_if<CommandLine>(&parsed);
    if (line != nullptr) {
        line->enforcement = enforcement;
    }
    const ExitCode code = line != nullptr ? execute(*line, streams) : answer(std::get<Answer>(parsed), streams);
    return static_cast<int>(finish(code, out));
}

} // namespace

} // namespace hostward::cli

int main(int argc, char** argv)
{
    // Our own code returns errors; this is for what the libraries below it throw: no memory, first of all.
    try {
        return hostward::cli::run(argc, argv);
    } catch (const std::exception& problem) {
        (void)std::fprintf(stderr, "hostward: error: %s\n", problem.what()); // the last resort: it may fail, too
        return static_cast<int>(hostward::cli::ExitCode::Failed);
    }
}
