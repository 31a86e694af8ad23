// SPDX-License-Identifier: Apache-2.0
// `hostward report`: wires configuration, posture, metadata service and the run.
#include "agent/base/log.h"
#include "agent/base/text.h"
#include "agent/cli/clock.h"
#include "agent/cli/commands.h"
#include "agent/cli/posture.h"
#include "agent/cli/report_view.h"
#include "agent/cli/summary.h"
#include "agent/cli/surroundings.h"
#include "agent/config/report_config.h"
#include "agent/report/document.h"
#include "agent/report/random.h"
#include "agent/report/run.h"
#include "agent/sandbox/sandbox.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace hostward::cli {

namespace {

/// In [0, 1), of the kernel's generator: a fleet that boots together must not report together.
double jitter()
{
    std::uint32_t bits = 0;
    report::fill_random(reinterpret_cast<unsigned char*>(&bits), sizeof bits);
    return static_cast<double>(bits) / 4294967296.0;
}

Status check_sinks(const ReportOptions& options, const config::ReportConfig& config)
{
    for (const auto& name : options.sinks) {
        if (std::ranges::find(config.sinks, name, &config::SinkConfig::name) == config.sinks.end()) {
            std::string known;
            for (const auto& sink : config.sinks) {
                known += (known.empty() ? "" : ", ") + sink.name;
            }
            return invalid_error("there is no sink " + quote(name) + " in " + quote(options.config) + ": allowed are " +
                                 known);
        }
    }
    return success();
}

Result<std::string> collected_by_root(const config::ReportConfig& config)
{
    auto posture = read_posture(config.state_dir);
    if (!posture && posture.error().kind == ErrorKind::NotFound) {
        return Error{ErrorKind::NotFound, 0,
                     "there is no posture to report: root collects it by hostward check --posture"};
    }
    return posture;
}

/// Root looks at the host now, and gives up root where a user for the rest exists.
Result<std::string> collect_and_step_down(const CommandLine& line, const config::ReportConfig& config, Output& err)
{
    TRY_ASSIGN(std::string posture, collect(line, config, err));
    if (!line.report.dry_run) {
        TRY(prepare_state(config.state_dir));
        TRY(write_posture(config.state_dir, posture));
    }
    TRY(become_report_user());
    TRY(sandbox::enter(sandbox::Program::Report, sandbox::Output::Own, line.enforcement));
    return posture;
}

std::string result_text(const report::RunResult& result, const CommandLine& line)
{
    if (line.summary_line) {
        return bounded(run_summary(result), run_text(result), line.chars_max, "hostward report --once --json has them");
    }
    return line.json ? run_json(result) : run_text(result);
}

/// One report.
Result<ExitCode> one_round(const CommandLine& line, const config::ReportConfig& config, const Streams& streams)
{
    report::RunInputs inputs;
    TRY_ASSIGN(inputs.posture,
               ::geteuid() == 0 ? collect_and_step_down(line, config, streams.err) : collected_by_root(config));
    TRY_ASSIGN(const auto where, metadata_options());
    TRY_ASSIGN(const auto imds, report::open_imds(where));
    inputs.imds = imds.get();
    inputs.now_s = now_s;
    inputs.sleep = [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); };
    inputs.random = jitter;
    if (line.report.dry_run) {
        TRY_ASSIGN(const auto preview, report::preview_report(inputs));
        streams.out.print_line(preview.bytes);
        return ExitCode::Ok;
    }
    TRY_ASSIGN(const auto result, report::run_report({config, line.report.sinks, line.report.nonce}, inputs));
    for (const auto& note : result.notes) {
        log_warning(note);
    }
    streams.out.print(result_text(result, line));
    return is_all_sent(result) ? ExitCode::Ok : ExitCode::Failed;
}

/// A round of its own process: what it gives up (root) and takes up (memory) is gone with it.
Status forked_round(const CommandLine& line, const config::ReportConfig& config, const Streams& streams)
{
    const pid_t child = ::fork();
    if (child < 0) {
        const int error_number = errno;
        return system_error(error_number, "cannot start a process for the report");
    }
    if (child == 0) {
        const auto code = one_round(line, config, streams);
        if (!code) {
            log_error(code.error().text);
        }
        (void)streams.out.finish(); // standard output of a service: the round's result is in its exit code, too
        ::_exit(static_cast<int>(code ? *code : ExitCode::Failed));
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return success(); // what went wrong was logged where it happened
}

Result<ExitCode> rounds(const CommandLine& line, const config::ReportConfig& config, const Streams& streams)
{
    for (;;) {
        TRY(forked_round(line, config, streams));
        const auto splay = std::chrono::duration<double>(config.splay) * jitter();
        std::this_thread::sleep_for(config.interval + std::chrono::duration_cast<std::chrono::milliseconds>(splay));
    }
}

} // namespace

Result<ExitCode> report(const CommandLine& line, const Streams& streams)
{
    TRY_ASSIGN(const auto config, config::load_report(line.report.config, config_owner()));
    TRY(check_sinks(line.report, config));
    return line.report.once || line.report.dry_run ? one_round(line, config, streams) : rounds(line, config, streams);
}

} // namespace hostward::cli
