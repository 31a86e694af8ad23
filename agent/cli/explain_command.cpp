// SPDX-License-Identifier: Apache-2.0
#include "agent/base/log.h"
#include "agent/cli/commands.h"
#include "agent/cli/explain_view.h"
#include "agent/cli/path_resolver.h"
#include "agent/cli/policy_file.h"
#include "agent/guard/resolver.h"

#include <utility>

namespace hostward::cli {

Result<ExitCode> guard_explain(const CommandLine& line, const Streams& streams)
{
    TRY_ASSIGN(auto real, guard::make_resolver());
    const auto resolver = make_path_resolver(std::move(real));
    const auto file = read_policy_file(line.config, *resolver, line.preset_dir);
    if (!file) {
        streams.err.print_line(file.error().text);
        return ExitCode::InvalidConfig;
    }
    auto subject =
        line.explain.pid ? observe_caller(*line.explain.pid, line.guard) : describe_caller(line.explain, *resolver);
    if (!subject) {
        return subject.error();
    }
    const auto explanation = explain(file->policy, subject.take(), line.explain.address);
    if (!explanation) {
        log_error(explanation.error().text);
        return ExitCode::Usage;
    }
    streams.out.print(line.json ? explain_json(*explanation, file->policy) : explain_text(*explanation, file->policy));
    return ExitCode::Ok;
}

} // namespace hostward::cli
