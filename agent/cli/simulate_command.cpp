// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/caller.h"
#include "agent/cli/commands.h"
#include "agent/cli/path_resolver.h"
#include "agent/cli/recorded.h"
#include "agent/cli/simulate_view.h"
#include "agent/guard/resolver.h"

#include <utility>

namespace hostward::cli {

Result<ExitCode> guard_simulate(const CommandLine& line, const Streams& streams)
{
    TRY_ASSIGN(auto real, guard::make_resolver());
    const auto resolver = make_path_resolver(std::move(real));
    const auto file = read_policy_file(line.explain.policy, *resolver, line.preset_dir, line.trust());
    if (!file) {
        streams.err.print_line(file.error().text);
        return ExitCode::InvalidConfig;
    }
    for (const auto& warning : file->policy.warnings) {
        streams.err.print_line("warning: " + warning);
    }
    guard::Simulator simulator(file->config, file->policy, *resolver,
                               [](std::uint32_t uid) { return account_groups(uid); });
    TRY_ASSIGN(const Unread unread,
               read_recorded(line, [&](const guard::EventRecord& event) { simulator.add(event); }));
    guard::Simulation simulation = simulator.finish();
    simulation.damaged_lines = unread.damaged;
    streams.out.print(line.json ? simulation_json(simulation, line.explain.policy, *file)
                                : simulation_text(simulation, line.explain.policy, *file));
    return simulation_exit_code(simulation);
}

} // namespace hostward::cli
