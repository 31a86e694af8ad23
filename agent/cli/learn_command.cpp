// SPDX-License-Identifier: Apache-2.0
#include "agent/base/log.h"
#include "agent/base/text.h"
#include "agent/cli/caller.h"
#include "agent/cli/commands.h"
#include "agent/cli/learn_view.h"
#include "agent/cli/output_file.h"
#include "agent/cli/path_resolver.h"
#include "agent/cli/policy_file.h"
#include "agent/cli/recorded.h"
#include "agent/guard/resolver.h"

#include <utility>

namespace hostward::cli {

namespace {

Result<guard::Learner> make_learner(const config::GuardConfig& config, guard::Resolver& resolver)
{
    return guard::Learner::create(config, resolver, [](std::uint32_t uid) { return account_groups(uid); });
}

Status put_out(const std::string& text, const LearnOptions& options, Output& out)
{
    if (options.output.empty()) {
        out.print(text);
        return success();
    }
    return write_new_file(options.output, text, options.force);
}

} // namespace

Result<ExitCode> guard_learn(const CommandLine& line, const Streams& streams)
{
    TRY_ASSIGN(auto real, guard::make_resolver());
    const auto resolver = make_path_resolver(std::move(real));
    const auto file = read_policy_file(line.config, *resolver, line.preset_dir);
    if (!file) {
        streams.err.print_line(file.error().text);
        return ExitCode::InvalidConfig;
    }
    TRY_ASSIGN(guard::Learner learner, make_learner(file->config, *resolver));
    TRY(read_recorded(line, [&](const guard::EventRecord& event) { learner.add(event); }));
    TRY_ASSIGN(const guard::Learned learned, learner.finish(line.learn.min_count));
    TRY(put_out(line.json ? learn_json(learned) : learn_toml(learned), line.learn, streams.out));
    if (!line.learn.output.empty()) {
        log_info(std::to_string(learned.rules.size()) + " rules to review in " + quote(line.learn.output));
    }
    return ExitCode::Ok;
}

} // namespace hostward::cli
