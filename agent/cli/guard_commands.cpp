// SPDX-License-Identifier: Apache-2.0
// run, load, unload: what changes the kernel.
#include "agent/base/log.h"
#include "agent/base/terminal.h"
#include "agent/cli/commands.h"
#include "agent/guard/guard.h"
#include "agent/guard/journal_socket.h"
#include "agent/guard/policy.h"
#include "agent/sandbox/process.h"

#include <nlohmann/json.hpp>

namespace hostward::cli {

namespace {

using Json = nlohmann::ordered_json;

std::string mode_text(const config::GuardConfig& config)
{
    return config.mode == config::Mode::Audit ? "audit" : "enforce";
}

std::string applied_text(const guard::Applied& applied, const config::GuardConfig& config)
{
    return "policy generation " + std::to_string(applied.generation) + " with " + std::to_string(applied.rules) +
           (applied.changed ? " rules loaded" : " rules was loaded already") + ", mode " + mode_text(config) +
           ", connections ended: " + std::to_string(applied.destroyed);
}

Json lines_json(const std::vector<std::string>& lines)
{
    Json out = Json::array();
    for (const auto& line : lines) {
        out.push_back(printable(line));
    }
    return out;
}

std::string applied_json(const guard::Applied& applied, const config::GuardConfig& config)
{
    const Json out{{"version", 1},
                   {"generation", applied.generation},
                   {"rules", applied.rules},
                   {"mode", mode_text(config)},
                   {"changed", applied.changed},
                   {"connections_ended", applied.destroyed},
                   {"warnings", lines_json(applied.warnings)},
                   {"notes", lines_json(applied.notes)}};
    return out.dump();
}

} // namespace

Result<ExitCode> guard_run(const CommandLine& line, const Streams& /*streams*/)
{
    TRY(guard::run_agent(line.guard, {line.config, line.preset_dir},
                         {STDOUT_FILENO, sandbox::is_journal(STDOUT_FILENO) ? guard::kJournalSocket : ""}));
    return ExitCode::Ok;
}

Result<ExitCode> guard_load(const CommandLine& line, const Streams& streams)
{
    const auto config = config::load(line.config, line.preset_dir);
    if (!config) {
        streams.err.print_line(config.error().text);
        return ExitCode::InvalidConfig;
    }
    TRY_ASSIGN(const auto guard, guard::Guard::open(line.guard));
    const auto applied = guard->apply(*config);
    if (!applied && applied.error().kind == ErrorKind::Invalid) {
        streams.err.print_line(applied.error().text);
        return ExitCode::InvalidConfig;
    }
    if (!applied) {
        return applied.error();
    }
    for (const auto& warning : applied->warnings) {
        log_warning(warning);
    }
    if (const std::string notes = guard::notes_summary(applied->notes); !notes.empty()) {
        log_info(notes);
    }
    streams.out.print_line(line.json ? applied_json(*applied, *config) : applied_text(*applied, *config));
    return ExitCode::Ok;
}

Result<ExitCode> guard_unload(const CommandLine& line, const Streams& streams)
{
    const auto status = guard::unload(line.guard);
    if (!status && status.error().kind == ErrorKind::NotFound) {
        log_error(status.error().text);
        return ExitCode::NotLoaded;
    }
    if (!status) {
        return status.error();
    }
    streams.out.print_line(line.json ? R"({"version":1,"state":"absent"})" : "guard unloaded");
    return ExitCode::Ok;
}

} // namespace hostward::cli
