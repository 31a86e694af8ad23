// SPDX-License-Identifier: Apache-2.0
// `hostward check`: wires the library, the host and the formats.
#include "agent/base/text.h"
#include "agent/cli/check_run.h"
#include "agent/cli/clock.h"
#include "agent/cli/commands.h"
#include "agent/cli/output_file.h"
#include "agent/cli/summary.h"
#include "agent/cli/surroundings.h"
#include "hardening/engine/fail_on.h"
#include "hardening/engine/library.h"
#include "hardening/engine/report.h"
#include "hardening/formats/formats.h"
#include "hardening/primitives/primitives.h"

#include <unistd.h>

#include <array>
#include <algorithm>

namespace hostward::cli {

namespace {

using hardening::Library;
using hardening::Profile;
using hardening::Report;

struct Format {
    std::string_view name;
    const char* suffix; ///< of the file, when several are written
    std::string (*write)(const Report& report, const CheckOptions& options, bool is_terminal);
};

constexpr std::array kFormats{
    Format{"text", ".txt",
           [](const Report& report, const CheckOptions& options, bool is_terminal) {
               return text_report(report, {is_terminal, options.all});
           }},
    Format{"json", ".json", [](const Report& report, const CheckOptions&, bool) { return json_report(report); }},
    Format{"ocsf", ".ocsf.json", [](const Report& report, const CheckOptions&, bool) { return ocsf_report(report); }},
    Format{"asff", ".asff.json",
           [](const Report& report, const CheckOptions& options, bool) {
               return asff_report(report, {options.aws_account, options.aws_region, options.aws_instance});
           }},
    Format{"junit", ".xml", [](const Report& report, const CheckOptions&, bool) { return junit_report(report); }},
    Format{"html", ".html", [](const Report& report, const CheckOptions&, bool) { return html_report(report); }},
};

Result<const Profile*> chosen_profile(const CheckOptions& options, const Library& library, const host::Host& host)
{
    if (!options.profile.empty()) {
        return named_profile(options.profile, library);
    }
    TRY_ASSIGN(const Profile* fitting, hardening::profile_for(library, host));
    if (fitting == nullptr) {
        return invalid_error("no profile is for this system (os-release): choose one by --profile: " +
                             known_profiles(library));
    }
    return fitting;
}

Result<std::optional<hardening::Baseline>> baseline_of(const CheckOptions& options, const host::Host& own)
{
    if (options.baseline.empty()) {
        return std::optional<hardening::Baseline>{};
    }
    TRY_ASSIGN(const std::string text, own.read(absolute(options.baseline)));
    TRY_ASSIGN(auto baseline, hardening::parse_baseline(text, options.baseline));
    return std::optional(std::move(baseline));
}

Result<Report> checked(const CommandLine& line, const Library& library, const host::Host& own, Output& err)
{
    const CheckOptions& options = line.check;
    TRY_ASSIGN(const auto baseline, baseline_of(options, own)); // before the work, which may take long
    TRY_ASSIGN(const auto host, host::open_host(options.root));
    TRY_ASSIGN(const Profile* profile, chosen_profile(options, library, *host));
    TRY_ASSIGN(const auto tailoring, tailoring_of(options, library, own));
    TRY_ASSIGN(const auto where, metadata_options());
    InstanceSurroundings instance(where, line.guard);
    auto& around = host->is_running() ? static_cast<hardening::Surroundings&>(instance) : hardening::no_surroundings();
    hardening::Facts facts(*host, now_s(), !options.no_sweep, around);
    Report report = run_with_progress(*profile, library, tailoring, options, facts, err);
    if (baseline) {
        TRY_ASSIGN(report.since, compare(report, *baseline));
    }
    return report;
}

constexpr auto kHowToSeeAll = "hostward check --max-chars 1000000, or --format json --output FILE, has them";

/// The one format that goes to standard output, with a summary before it if that was asked for.
std::string shown(std::string text, const Report& report, const CommandLine& line)
{
    return line.summary_line ? bounded(check_summary(report), text, line.chars_max, kHowToSeeAll) : std::move(text);
}

Status write(const Report& report, const CommandLine& line, const Streams& streams)
{
    const CheckOptions& options = line.check;
    const bool is_terminal = options.output.empty() && !line.summary_line && ::isatty(streams.out.fd()) == 1;
    const std::vector<std::string> wanted =
        options.formats.empty() ? std::vector<std::string>{"text"} : options.formats;
    for (const auto& format : kFormats) {
        if (std::ranges::find(wanted, format.name) == wanted.end()) {
            continue;
        }
        std::string text = format.write(report, options, is_terminal);
        if (options.output.empty()) {
            streams.out.print(shown(std::move(text), report, line));
            continue;
        }
        TRY(write_new_file(wanted.size() == 1 ? options.output : options.output + format.suffix, text, true));
    }
    if (line.summary_line && !options.output.empty()) {
        streams.out.print(check_summary(report));
    }
    return success();
}

Result<ExitCode> run_check(const CommandLine& line, const Library& library, const host::Host& own,
                           const Streams& streams)
{
    const CheckOptions& options = line.check;
    const auto fail_on = hardening::parse_fail_on(options.fail_on);
    if (!fail_on) {
        streams.err.print_line("hostward: " + fail_on.error().text);
        return ExitCode::Usage;
    }
    const bool needs_baseline = std::ranges::any_of(*fail_on, &hardening::FailOn::only_new);
    if (needs_baseline && options.baseline.empty()) {
        streams.err.print_line("hostward: --fail-on new needs --baseline, the report that it is new since");
        return ExitCode::Usage;
    }
    TRY_ASSIGN(const Report report, checked(line, library, own, streams.err));
    TRY(write(report, line, streams));
    return is_failed(report, *fail_on) ? ExitCode::Findings : ExitCode::Ok;
}

Result<ExitCode> list(const CheckOptions& options, const Library& library, const Streams& streams)
{
    TRY_ASSIGN(const auto host, host::open_host(options.root));
    TRY_ASSIGN(const Profile* profile, chosen_profile(options, library, *host));
    streams.out.print(list_text(*profile, library, selection_of(options)));
    return ExitCode::Ok;
}

Result<ExitCode> explain(const CheckOptions& options, const Library& library, const Streams& streams)
{
    const auto* rule = library.rule(options.explain);
    if (rule == nullptr) {
        return invalid_error("there is no rule " + quote(options.explain) + ": --list shows them");
    }
    streams.out.print(rule_text(*rule, library));
    return ExitCode::Ok;
}

ExitCode coverage(const CheckOptions& options, const Library& library, const Streams& streams)
{
    const bool json = std::ranges::find(options.formats, "json") != options.formats.end();
    streams.out.print(json ? coverage_json(library) : coverage_text(library));
    return ExitCode::Ok;
}

} // namespace

Result<ExitCode> check(const CommandLine& line, const Streams& streams)
{
    const CheckOptions& options = line.check;
    TRY_ASSIGN(const auto own, host::open_host());
    TRY_ASSIGN(const Library library,
               hardening::load_library(*own, absolute(options.library), hardening::all_primitives()));
    switch (options.task) {
    case CheckTask::Check:
        return options.explain.empty() ? run_check(line, library, *own, streams) : explain(options, library, streams);
    case CheckTask::List: return list(options, library, streams);
    case CheckTask::Coverage: return coverage(options, library, streams);
    case CheckTask::Posture: return collect_posture(line, streams);
    }
    return ExitCode::Failed;
}

} // namespace hostward::cli
