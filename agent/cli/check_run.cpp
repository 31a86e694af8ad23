// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/check_run.h"

#include "agent/base/text.h"
#include "agent/cli/progress.h"

#include <filesystem>

namespace hostward::cli {

using hardening::Library;
using hardening::Profile;

std::string absolute(const std::string& path)
{
    std::error_code status; // no working directory any more: the path stays, and is refused where it is opened
    const auto found = std::filesystem::absolute(path, status);
    return status ? path : found.string();
}

hardening::Selection selection_of(const CheckOptions& options)
{
    return {options.level, options.workstation, options.rules};
}

std::string known_profiles(const Library& library)
{
    std::string text;
    for (const auto& profile : library.profiles) {
        text += (text.empty() ? "" : ", ") + profile.id;
    }
    return text;
}

Result<const Profile*> named_profile(const std::string& id, const Library& library)
{
    const Profile* profile = library.profile(id);
    if (profile == nullptr) {
        return invalid_error("there is no profile " + quote(id) + ": allowed are " + known_profiles(library));
    }
    return profile;
}

Result<hardening::Tailoring> tailoring_of(const CheckOptions& options, const Library& library, const host::Host& host)
{
    hardening::Tailoring out;
    if (!options.tailoring.empty()) {
        TRY_ASSIGN(const std::string text, host.read(absolute(options.tailoring)));
        TRY_ASSIGN(out, parse_tailoring(text, options.tailoring, library));
    }
    for (const auto& setting : options.settings) {
        TRY(add_setting(setting, library, out));
    }
    return out;
}

hardening::Report run_with_progress(const Profile& profile, const Library& library,
                                    const hardening::Tailoring& tailoring, const CheckOptions& options,
                                    hardening::Facts& facts, Output& err)
{
    ProgressLine line(err);
    auto report = run_profile(profile, library, tailoring, selection_of(options), facts,
                              [&line](std::size_t done, std::size_t all, const hardening::Recommendation& next) {
                                  line.show(std::to_string(done) + " of " + std::to_string(all) + ", now " +
                                            next.number + " " + next.rule);
                              });
    report.subject.root = options.root;
    return report;
}

} // namespace hostward::cli
