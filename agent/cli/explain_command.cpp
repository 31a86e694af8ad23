// SPDX-License-Identifier: Apache-2.0
#include "agent/base/log.h"
#include "agent/base/text.h"
#include "agent/cli/caller.h"
#include "agent/cli/commands.h"
#include "agent/cli/explain_view.h"
#include "agent/cli/path_resolver.h"
#include "agent/cli/policy_file.h"
#include "agent/guard/resolver.h"
#include "agent/guard/status.h"

#include <algorithm>
#include <utility>

namespace hostward::cli {

namespace {

/// What `address` an endpoint of the policy has; `otherwise` if there is no such endpoint any more.
std::string address_of(const config::GuardConfig& config, const std::string& endpoint, const std::string& otherwise)
{
    const auto found = std::ranges::find(config.endpoints, endpoint, &config::Endpoint::name);
    return found == config.endpoints.end() || found->addresses.empty() ? otherwise : found->addresses[0].value;
}

std::string policy_path(const CommandLine& line)
{
    return line.explain.policy.empty() ? line.config : line.explain.policy;
}

/// Whether the guard has the policy of the file; else a note that says so, and what to do.
Asked compare_with_loaded(const CommandLine& line, const PolicyFile& file, std::vector<std::string>& notes)
{
    const auto status = guard::read_status(line.guard);
    const auto& digest = file.policy.head.policy_digest;
    const std::string path = policy_path(line);
    const std::string about = ", this is about " + quote(path);
    if (!status) {
        notes.push_back("cannot tell which policy is loaded" + about + ": " + status.error().text);
        return {path, std::nullopt};
    }
    if (!status->loaded) {
        notes.push_back("no guard is loaded" + about + ": systemctl start hostward-guard loads the installed policy");
        return {path, false};
    }
    const bool same = status->policy_digest == hex(static_cast<const unsigned char*>(digest), sizeof(digest));
    if (!same) {
        notes.push_back("the guard has another policy loaded" + about +
                        ": systemctl reload hostward-guard loads the installed one anew");
    }
    return {path, same};
}

struct Question {
    Subject subject;
    std::string address;
};

Result<Question> ask(const CommandLine& line, const PolicyFile& file, guard::Resolver& resolver)
{
    const auto& explain = line.explain;
    if (explain.last_denial) {
        TRY_ASSIGN(RecordedDenial denial, last_denial(line, resolver));
        return Question{std::move(denial.subject), address_of(file.config, denial.endpoint, explain.address)};
    }
    TRY_ASSIGN(Subject subject,
               explain.pid ? observe_caller(*explain.pid, line.guard) : describe_caller(explain, resolver));
    return Question{std::move(subject), explain.address};
}

} // namespace

Result<ExitCode> guard_explain(const CommandLine& line, const Streams& streams)
{
    if (!line.explain.names_caller()) {
        return guard_simulate(line, streams);
    }
    TRY_ASSIGN(auto real, guard::make_resolver());
    const auto resolver = make_path_resolver(std::move(real));
    const auto file = read_policy_file(policy_path(line), *resolver, line.preset_dir, line.trust());
    if (!file) {
        streams.err.print_line(file.error().text);
        return ExitCode::InvalidConfig;
    }
    TRY_ASSIGN(Question question, ask(line, *file, *resolver));
    const Asked asked = compare_with_loaded(line, *file, question.subject.notes);
    const auto explanation = explain(file->policy, std::move(question.subject), question.address);
    if (!explanation) {
        log_error(explanation.error().text);
        return ExitCode::Usage;
    }
    streams.out.print(line.json ? explain_json(*explanation, asked, *file) : explain_text(*explanation, asked, *file));
    return ExitCode::Ok;
}

} // namespace hostward::cli
