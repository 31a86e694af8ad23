// SPDX-License-Identifier: Apache-2.0
// `hostward check --posture`: everything that a report says of this host, for `hostward report` to send.
#include "agent/cli/check_run.h"
#include "agent/cli/clock.h"
#include "agent/cli/commands.h"
#include "agent/cli/posture.h"
#include "agent/cli/surroundings.h"
#include "agent/config/report_config.h"
#include "hardening/formats/formats.h"
#include "hardening/models/os_release.h"
#include "hardening/primitives/primitives.h"

#include <sys/utsname.h>
#include <unistd.h>

namespace hostward::cli {

namespace {

using hardening::Library;
using hardening::Profile;

constexpr auto kInstanceProfile = "ec2";

/// Those of the configuration, or what fits this host: a host whose system has no profile still has the instance's.
Result<std::vector<const Profile*>> wanted_profiles(const config::ReportConfig& config, const CheckOptions& options,
                                                    const Library& library, const host::Host& host)
{
    std::vector<const Profile*> out;
    std::vector<std::string> names = config.profiles;
    if (!options.profile.empty()) {
        names = {options.profile};
    }
    for (const auto& name : names) {
        TRY_ASSIGN(const Profile* profile, named_profile(name, library));
        out.push_back(profile);
    }
    if (!names.empty()) {
        return out;
    }
    if (const Profile* instance = library.profile(kInstanceProfile); instance != nullptr) {
        out.push_back(instance);
    }
    const auto fitting = profile_for(library, host);
    if (fitting && *fitting != nullptr) {
        out.push_back(*fitting);
    }
    return out;
}

HostPosture host_posture(hardening::Facts& facts)
{
    HostPosture out;
    utsname names = {};
    if (::uname(&names) == 0) {
        out.hostname = names.nodename;
        out.kernel = names.release;
        out.architecture = names.machine;
    }
    if (const auto& os = facts.get<hardening::OsRelease>()) {
        out.os_id = os->id;
        out.os_version_id = os->version_id;
        out.os_pretty_name = os->pretty_name;
    }
    return out;
}

} // namespace

Result<std::string> collect(const CommandLine& line, const config::ReportConfig& config, Output& err)
{
    const CheckOptions& options = line.check;
    TRY_ASSIGN(const auto own, host::open_host());
    TRY_ASSIGN(const Library library,
               hardening::load_library(*own, absolute(options.library), hardening::all_primitives()));
    TRY_ASSIGN(const auto profiles, wanted_profiles(config, options, library, *own));
    TRY_ASSIGN(const auto tailoring, tailoring_of(options, library, *own));
    TRY_ASSIGN(const auto where, metadata_options());
    InstanceSurroundings instance(where, line.guard);
    // Once for all profiles: they ask the same files.
    hardening::Facts facts(*own, now_s(), !options.no_sweep, instance);
    Posture posture;
    for (const Profile* profile : profiles) {
        posture.checks.push_back(
            json_line_report(run_with_progress(*profile, library, tailoring, options, facts, err)));
    }
    posture.collected_s = now_s();
    posture.host = host_posture(facts);
    posture.guard = guard::read_status(line.guard);
    return posture_json(posture);
}

Result<ExitCode> collect_posture(const CommandLine& line, const Streams& streams)
{
    TRY_ASSIGN(const auto config, config::load_report(line.report.config, config_owner()));
    TRY_ASSIGN(const std::string posture, collect(line, config, streams.err));
    if (::geteuid() == 0) {
        TRY(prepare_state(config.state_dir));
    }
    TRY(write_posture(config.state_dir, posture));
    streams.err.print_line("hostward: the posture is in " + posture_path(config.state_dir));
    return ExitCode::Ok;
}

} // namespace hostward::cli
