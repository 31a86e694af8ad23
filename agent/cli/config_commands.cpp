// SPDX-License-Identifier: Apache-2.0
// check, print: a policy file looked at, nothing loaded.
#include "agent/base/terminal.h"
#include "agent/base/text.h"
#include "agent/cli/commands.h"
#include "agent/cli/path_resolver.h"
#include "agent/cli/policy_file.h"
#include "agent/cli/policy_toml.h"
#include "agent/guard/resolver.h"

#include <nlohmann/json.hpp>

namespace hostward::cli {

namespace {

using Json = nlohmann::ordered_json;

Json lines_json(const std::vector<std::string>& lines)
{
    Json out = Json::array();
    for (const auto& line : lines) {
        out.push_back(printable(line)); // whatever it holds, the JSON is valid
    }
    return out;
}

std::string count_text(std::size_t count, const char* what)
{
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string mode_text(const PolicyFile& checked)
{
    return checked.config.mode == config::Mode::Audit ? "audit" : "enforce";
}

std::string digest_text(const PolicyFile& checked)
{
    const auto& digest = checked.policy.head.policy_digest;
    return hex(static_cast<const unsigned char*>(digest), sizeof(digest));
}

std::string valid_json(const PolicyFile& checked)
{
    const Json out{{"version", 1},
                   {"valid", true},
                   {"mode", mode_text(checked)},
                   {"rules", checked.config.rules.size()},
                   {"endpoints", checked.config.endpoints.size()},
                   {"policy_digest", digest_text(checked)},
                   {"errors", Json::array()},
                   {"warnings", lines_json(checked.policy.warnings)},
                   {"notes", lines_json(checked.policy.notes)}};
    return out.dump();
}

std::string invalid_json(const std::string& text)
{
    Json errors = Json::array();
    for (const auto line : split(text, '\n')) {
        errors.push_back(printable(line));
    }
    return Json{
        {"version", 1}, {"valid", false}, {"errors", errors}, {"warnings", Json::array()}, {"notes", Json::array()}}
        .dump();
}

std::string valid_text(const std::string& path, const PolicyFile& checked)
{
    return escape(path) + ": valid: " + count_text(checked.config.rules.size(), "rule") + ", " +
           count_text(checked.config.endpoints.size(), "endpoint") + ", mode " + mode_text(checked) + ", " +
           count_text(checked.policy.warnings.size(), "warning");
}

} // namespace

Result<ExitCode> config_check(const CommandLine& line, const Streams& streams)
{
    TRY_ASSIGN(auto real, guard::make_resolver());
    const auto resolver = make_path_resolver(std::move(real));
    const auto checked = read_policy_file(line.config, *resolver, line.preset_dir, line.trust());
    if (!checked) {
        streams.err.print_line(checked.error().text);
        if (line.json) {
            streams.out.print_line(invalid_json(checked.error().text));
        }
        return ExitCode::InvalidConfig;
    }
    for (const auto& warning : checked->policy.warnings) {
        streams.err.print_line("warning: " + warning);
    }
    for (const auto& note : checked->policy.notes) {
        streams.err.print_line("note: " + note);
    }
    streams.out.print_line(line.json ? valid_json(*checked) : valid_text(line.config, *checked));
    return ExitCode::Ok;
}

Result<ExitCode> config_print(const CommandLine& line, const Streams& streams)
{
    const auto config = config::load(line.config, line.preset_dir, line.trust());
    if (!config) {
        streams.err.print_line(config.error().text);
        return ExitCode::InvalidConfig;
    }
    streams.out.print(policy_toml_with_origin(*config));
    return ExitCode::Ok;
}

} // namespace hostward::cli
