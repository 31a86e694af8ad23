// SPDX-License-Identifier: Apache-2.0
// The only file that knows the command-line library.
#include "agent/cli/options.h"

#include "agent/base/terminal.h"
#include "agent/cli/option_rules.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <sstream>

namespace hostward::cli {

namespace {

constexpr std::size_t kHelpColumn = 26;
constexpr const char* kFooter = "Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 policy file has errors,\n"
                                "4 guard not loaded, 5 kernel lacks something, 6 refused; of guard doctor's\n"
                                "findings the worst is: 7 a warning, 8 that it cannot tell, 9 an error;\n"
                                "10 check found what --fail-on names; of guard explain --policy:\n"
                                "11 something changes, 8 it cannot tell of all; of verify:\n"
                                "12 something is not genuine, 8 nothing is proven.";

// The commands of README.md: tests/vm/fleet compares them and runs them.
constexpr const char* kStory = R"(From audit to enforce:
  hostward config check
  systemctl enable --now hostward-guard
After a reboot and every job of the host, rules of what was seen, to be read:
  journalctl -u hostward-guard -o cat |
  hostward guard learn --events - --output /etc/hostward/policy.d/50-seen.toml
Then:
  hostward config check
  printf '[guard]\nmode = "enforce"\n' > /etc/hostward/policy.d/90-enforce.toml
  systemctl reload hostward-guard
  hostward guard status

)";

/// The library's help, on lines of 80 columns: without the lists of exclusions, and with every command on the first
/// page.
class Help : public CLI::Formatter {
public:
    Help() { column_width(kHelpColumn); }

    std::string make_option_opts(const CLI::Option* option) const override
    {
        const std::string type = option->get_expected_max() == 0 ? "" : option->get_type_name();
        return type.empty() ? "" : " " + type.substr(0, type.find(':'));
    }
    std::string make_subcommands(const CLI::App* app, CLI::AppFormatMode mode) const override
    {
        const auto groups = app->get_subcommands({});
        if (groups.empty() || groups.front()->get_subcommands({}).empty()) {
            return Formatter::make_subcommands(app, mode);
        }
        std::string out = "\nCommands:\n";
        for (const auto* group : groups) {
            if (group->get_subcommands({}).empty()) {
                out += command_line(group->get_name(), *group);
            }
            for (const auto* command : group->get_subcommands({})) {
                out += command_line(group->get_name() + " " + command->get_name(), *command);
            }
        }
        return out;
    }

private:
    static std::string command_line(const std::string& name, const CLI::App& command)
    {
        std::string out = "  " + name;
        out.resize(std::max(kHelpColumn, out.size() + 1), ' ');
        return out + command.get_description() + "\n";
    }
};

/// Which of the options a command takes.
enum Takes : unsigned {
    TakesConfig = 1,
    TakesPlace = 2, ///< --cgroup, --pin-dir, --run-dir
    TakesJson = 4,
    TakesFollow = 8,
    TakesCaller = 16,
    TakesRecords = 32, ///< --events, --since
    TakesOutput = 64,
    TakesSummary = 128,
    TakesAnyOwner = 1U << 12,
};

struct Spec {
    Command command;
    const char* name;
    const char* help;
    unsigned takes;
};

// Every guard command takes the options of the guard's place and policy, used or not: scripts pass one list to all.
constexpr unsigned kGuard = TakesConfig | TakesPlace | TakesJson;
constexpr std::array kGuardCommands{
    Spec{Command::GuardRun, "run", "load the policy, stay, record events", kGuard},
    Spec{Command::GuardLoad, "load", "load or replace the policy, and exit", kGuard},
    Spec{Command::GuardUnload, "unload", "take the guard down", kGuard},
    Spec{Command::GuardStatus, "status", "what is enforced, counted and left open", kGuard | TakesSummary},
    Spec{Command::GuardMetrics, "metrics", "the counters in Prometheus' text format", kGuard},
    Spec{Command::GuardEvents, "events", "print what the agent recorded", kGuard | TakesFollow},
    Spec{Command::GuardExplain, "explain", "which rule decides; what a policy would change",
         kGuard | TakesCaller | TakesRecords | TakesAnyOwner},
    Spec{Command::GuardLearn, "learn", "rules for what was denied, to be reviewed",
         kGuard | TakesRecords | TakesOutput},
    Spec{Command::GuardDoctor, "doctor", "what is missing or wrong, and what to do", kGuard},
};
constexpr std::array kConfigCommands{
    Spec{Command::ConfigCheck, "check", "errors and warnings of a policy file",
         TakesConfig | TakesAnyOwner | TakesJson},
    Spec{Command::ConfigPrint, "print", "the policy as understood, defaults filled in", TakesConfig | TakesAnyOwner},
};

void add_caller_options(CLI::App& app, ExplainOptions& out)
{
    auto* pid = app.add_option("--pid", out.pid, "a running process")->type_name("PID")->check(CLI::PositiveNumber);
    auto* user = app.add_option("--user", out.user, "name or number of the user")->type_name("USER");
    auto* group = app.add_option("--group", out.groups, "group, repeatable; the first is the real one");
    group->type_name("GROUP")->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    auto* exe = app.add_option("--exe", out.exe, "path of the program")->type_name("PATH");
    auto* unit = app.add_option("--unit", out.unit, "systemd unit, in system.slice")->type_name("UNIT");
    auto* cgroup = app.add_option("--cgroup-path", out.cgroup_path, "path below the guarded cgroup");
    cgroup->type_name("PATH");
    auto* container = app.add_flag("--container", out.container, "in a container");
    app.add_option("--policy", out.policy, "ask this file; of no caller: what it would change")->type_name("FILE");
    auto* last = app.add_flag("--last-denial", out.last_denial, "whom the newest recorded denial was about");
    last->excludes(pid);
    app.add_option("--address", out.address, "address asked for [" + out.address + "]")->type_name("ADDRESS");
    for (auto* described : {user, group, exe, unit, cgroup, container}) {
        described->excludes(pid);
        last->excludes(described);
    }
    unit->excludes(cgroup);
}

void add_since_option(CLI::App& app, std::string& out)
{
    app.add_option("--since", out, "a time (UTC), or how long ago: 90s, 30m, 12h, 7d")->type_name("TIME");
}

void add_filter_options(CLI::App& app, CommandLine& out)
{
    auto& filter = out.filter;
    app.add_option("--user", filter.user, "only of this user, by name or number")->type_name("USER");
    app.add_option("--exe", filter.exe, "only of this program")->type_name("PATH");
    app.add_option("--unit", filter.unit, "only in this systemd unit")->type_name("UNIT");
    app.add_option("--rule", filter.rule, "only what this rule decided")->type_name("RULE");
    auto* decision = app.add_option("--decision", filter.decision, "only allow, deny or would-deny");
    decision->type_name("WORD")->check(CLI::IsMember({"allow", "deny", "would-deny"}));
    app.add_flag("--container", filter.container, "only in containers");
    add_since_option(app, out.since);
}

void add_record_options(CLI::App& app, CommandLine& out)
{
    app.add_option("--events", out.events, "a kept events file, - for stdin [the agent's]")->type_name("FILE");
    add_since_option(app, out.since);
}

void add_output_options(CLI::App& app, LearnOptions& out)
{
    auto* count = app.add_option("--min-count", out.min_count, "propose what was seen so often [1]");
    count->type_name("N")->check(CLI::PositiveNumber);
    auto* output = app.add_option("--output", out.output, "a new file for the rules [stdout]")->type_name("FILE");
    app.add_flag("--force", out.force, "replace the output file")->needs(output);
}

/// `[default]` stands at the end of a description.
std::string with_default(const char* help, const std::string& value) { return std::string(help) + " [" + value + "]"; }

void add_place_options(CLI::App& app, guard::Options& out)
{
    app.add_option("--cgroup", out.cgroup, "guarded cgroup [root of the cgroup2 mount]")->type_name("PATH");
    app.add_option("--pin-dir", out.pin_dir, with_default("on a bpf file system", out.pin_dir))->type_name("DIR");
    app.add_option("--run-dir", out.run_dir, with_default("lock and events", out.run_dir))->type_name("DIR");
}

void add_summary_options(CLI::App& app, CommandLine& out)
{
    constexpr std::size_t kCharsMin = 1000; // the line, the note of what was left out, and something between them
    constexpr std::size_t kCharsMax = 1'000'000'000;
    auto* line = app.add_flag("--summary-line", out.summary_line, "one line of JSON first, bounded text after it");
    auto* chars = app.add_option("--max-chars", out.chars_max, "of output, with --summary-line [24000]");
    chars->type_name("N")->check(CLI::Range(kCharsMin, kCharsMax))->needs(line);
}

void add_command(CLI::App& parent, const Spec& spec, CommandLine& out)
{
    auto& app = *parent.add_subcommand(spec.name, spec.help);
    app.footer(kFooter);
    if ((spec.takes & TakesCaller) != 0) {
        add_caller_options(app, out.explain);
    }
    if ((spec.takes & TakesFollow) != 0) {
        app.add_flag("-f,--follow", out.follow, "last lines, then wait for more");
        add_filter_options(app, out);
    }
    if ((spec.takes & TakesRecords) != 0) {
        add_record_options(app, out);
    }
    if ((spec.takes & TakesOutput) != 0) {
        add_output_options(app, out.learn);
    }
    if ((spec.takes & TakesConfig) != 0) {
        app.add_option("--config", out.config, with_default("policy file", out.config))->type_name("FILE");
        app.add_option("--presets", out.preset_dir, with_default("installed presets", out.preset_dir))
            ->type_name("DIR");
    }
    if ((spec.takes & TakesAnyOwner) != 0) {
        app.add_flag("--any-owner", out.any_owner, "files that others than root can change, too");
    }
    if ((spec.takes & TakesPlace) != 0) {
        add_place_options(app, out.guard);
    }
    if ((spec.takes & TakesSummary) != 0) {
        add_summary_options(app, out);
    }
    if ((spec.takes & TakesJson) != 0) {
        app.add_flag("--json", out.json, "print JSON: its fields are stable, text is not");
    }
    app.callback([&out, command = spec.command] { out.command = command; });
}

template <std::size_t size>
void add_group(CLI::App& app, const char* name, const char* help, const std::array<Spec, size>& specs, CommandLine& out)
{
    auto& group = *app.add_subcommand(name, help);
    group.require_subcommand(1);
    for (const auto& spec : specs) {
        add_command(group, spec, out);
    }
}

void add_check(CLI::App& parent, CommandLine& line)
{
    auto& app = *parent.add_subcommand("check", "compare a host or an image with a hardening profile");
    auto& out = line.check;
    app.footer(kFooter);
    app.add_option("--profile", out.profile, "profile [that of the host's os-release]")->type_name("ID");
    app.add_option("--root", out.root, "an image in a directory [this host]")->type_name("DIR");
    app.add_option("--level", out.level, "1, or 1 and 2 [2]")->type_name("N")->check(CLI::Range(1, 2));
    app.add_flag("--workstation", out.workstation, "levels of the workstation profile");
    auto* rule = app.add_option("--rule", out.rules, "only these ids or numbers, repeatable");
    rule->type_name("GLOB")->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    auto* format = app.add_option("--format", out.formats, "text, json, ocsf, asff, junit, html [text]");
    format->type_name("F")->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    format->check(CLI::IsMember({"text", "json", "ocsf", "asff", "junit", "html"}));
    app.add_option("--output", out.output, "file; of several formats the name before .FORMAT")->type_name("FILE");
    app.add_option("--tailoring", out.tailoring, "file of settings and waivers")->type_name("FILE");
    auto* set = app.add_option("--set", out.settings, "RULE.PARAMETER=VALUE, repeatable");
    set->type_name("TEXT")->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option("--baseline", out.baseline, "a json report: what changed since")->type_name("FILE");
    app.add_option("--fail-on", out.fail_on, "what exit code 10 is for [fail]")->type_name("WHAT");
    app.add_option("--aws-account", out.aws_account, "asff: twelve digits")->type_name("ID");
    app.add_option("--aws-region", out.aws_region, "asff: such as eu-central-1")->type_name("NAME");
    app.add_option("--aws-instance", out.aws_instance, "asff: the resource, i-... [host name]")->type_name("ID");
    app.add_flag("--all", out.all, "text: what passed and does not apply, too");
    add_summary_options(app, line);
    app.add_flag("--no-sweep", out.no_sweep, "do not walk the file system");
    app.add_option("--pin-dir", line.guard.pin_dir, with_default("the guard's pins", line.guard.pin_dir))
        ->type_name("DIR");
    auto* list = app.add_flag_callback(
        "--list", [&out] { out.task = CheckTask::List; }, "the recommendations, nothing is checked");
    auto* coverage = app.add_flag_callback(
        "--coverage", [&out] { out.task = CheckTask::Coverage; }, "how much of each profile is decided");
    auto* explain = app.add_option("--explain", out.explain, "everything about one rule")->type_name("RULE");
    app.add_flag_callback(
        "--posture", [&out] { out.task = CheckTask::Posture; }, "no result here, but the file that report sends");
    app.add_option("--report-config", line.report.config, with_default("profiles of --posture", line.report.config))
        ->type_name("FILE");
    list->excludes(coverage)->excludes(explain);
    coverage->excludes(explain);
    app.add_option("--library", out.library, with_default("rules and profiles", out.library))->type_name("DIR");
    app.callback([&line] { line.command = Command::Check; });
}

void add_verify(CLI::App& parent, CommandLine& line)
{
    auto& app = *parent.add_subcommand("verify", "who made a report, when, and what proves it");
    auto& out = line.verify;
    app.footer(kFooter);
    auto* file = app.add_option("FILE", out.file, "an envelope, gzip or not, - for stdin");
    auto* sts = app.add_flag("--sts", out.sts, "STS has to be asked, nothing less will do");
    auto* offline = app.add_flag("--offline", out.offline, "ask nobody: proves less, and says so");
    app.add_option("--audience", out.audience, with_default("whom it is for", out.audience))->type_name("TEXT");
    app.add_option("--max-age", out.max_age, with_default("since it was signed", out.max_age))->type_name("TIME");
    app.add_option("--nonce", out.nonce, "the challenge that was given out [any]")->type_name("TEXT");
    app.add_option("--nonces", out.nonces, "remember proofs here, refuse replays")->type_name("FILE");
    app.add_option("--account", out.account, "only of this AWS account [any]")->type_name("ID");
    auto* region = app.add_option("--region", out.region, "only of this region [any]")->type_name("NAME");
    auto* jwks = app.add_option("--jwks", out.jwks, "keys for web identity tokens")->type_name("FILE");
    auto* issuer = app.add_option("--issuer", out.issuer, "of tokens; its keys are fetched")->type_name("URL");
    auto* trusted = app.add_option("--trusted-sts", out.trusted_sts, "a VPC endpoint or test server, believed");
    trusted->type_name("URL");
    auto* identity = app.add_option("--identity", out.identity, "an identity document alone")->type_name("FILE");
    auto* rsa2048 = app.add_option("--rsa2048", out.rsa2048, "its signature")->type_name("FILE");
    app.add_flag("--json", line.json, "print JSON: its fields are stable, text is not");
    sts->excludes(offline);
    identity->needs(rsa2048)->needs(region)->excludes(file);
    rsa2048->needs(identity);
    for (auto* of_envelopes : {sts, offline, jwks, issuer, trusted}) {
        of_envelopes->excludes(identity);
    }
    app.callback([&line] { line.command = Command::Verify; });
}

void add_report(CLI::App& parent, CommandLine& line)
{
    auto& app = *parent.add_subcommand("report", "send the posture, with a proof of who sends it");
    auto& out = line.report;
    app.footer(kFooter);
    app.add_flag("--once", out.once, "one report, then exit [one every interval]");
    app.add_flag("--dry-run", out.dry_run, "print the report, keep and send nothing");
    auto* sink = app.add_option("--sink", out.sinks, "only this sink, repeatable [all]");
    sink->type_name("NAME")->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    add_summary_options(app, line);
    app.add_flag("--json", line.json, "print JSON: its fields are stable, text is not");
    app.add_option("--nonce", out.nonce, "a receiver's challenge [random]")->type_name("TEXT");
    app.add_option("--config", out.config, with_default("file", out.config))->type_name("FILE");
    app.add_option("--library", line.check.library, with_default("rules and profiles", line.check.library))
        ->type_name("DIR");
    app.callback([&line] { line.command = Command::Report; });
}

Answer usage_error(const std::string& text)
{
    return {"hostward: " + printable(text) + "\nRun hostward --help for the commands and options.\n", ExitCode::Usage};
}

} // namespace

std::variant<CommandLine, Answer> parse_command_line(int argc, const char* const* argv)
{
    CommandLine line;
    CLI::App app("Guard of the EC2 instance metadata service, and hardening checks.", "hostward");
    app.formatter(std::make_shared<Help>());
    app.set_help_flag("-h,--help", "print this help");
    app.set_version_flag("--version", "hostward " HOSTWARD_VERSION, "print the version");
    app.require_subcommand(1);
    app.footer(std::string(kStory) + kFooter);
    add_group(app, "guard", "load, watch and ask the guard", kGuardCommands, line);
    add_check(app, line);
    add_report(app, line);
    add_verify(app, line);
    add_group(app, "config", "look at a policy file, load nothing", kConfigCommands, line);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& problem) {
        std::ostringstream out;
        std::ostringstream err;
        if (app.exit(problem, out, err) == 0) {
            return Answer{out.str(), ExitCode::Ok};
        }
        return usage_error(problem.what());
    }
    if (const std::string problem = contradiction(line); !problem.empty()) {
        return usage_error(problem);
    }
    return line;
}

} // namespace hostward::cli
