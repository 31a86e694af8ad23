// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/apparmor.h"

#include "agent/base/text.h"
#include "hardening/models/lines.h"

namespace hostward::hardening {

namespace {

constexpr auto kEnabled = "/sys/module/apparmor/parameters/enabled";
constexpr auto kProfiles = "/sys/kernel/security/apparmor/profiles";

/// `NAME (MODE)`; a text without a mode is all name.
ApparmorProfile parse_label(std::string_view text)
{
    text = trimmed(text.substr(0, text.find_first_of(std::string_view("\n\0", 2))));
    const auto open = text.rfind(" (");
    if (open == text.npos || !text.ends_with(')')) {
        return {std::string(text), ""};
    }
    return {std::string(text.substr(0, open)), std::string(text.substr(open + 2, text.size() - open - 3))};
}

/// Nothing: it has ended, or it is a kernel thread.
Result<std::vector<ApparmorProcess>> process(const host::Host& host, const std::string& name)
{
    const std::string folder = "/proc/" + name;
    const auto executable = host.link_target(folder + "/exe");
    if (!executable) {
        const bool has_none =
            executable.error().kind == ErrorKind::NotFound || executable.error().error_number == ESRCH;
        return has_none ? Result<std::vector<ApparmorProcess>>(std::vector<ApparmorProcess>{})
                        : Result<std::vector<ApparmorProcess>>(executable.error());
    }
    auto label = host.read(folder + "/attr/apparmor/current");
    if (!label && label.error().kind == ErrorKind::NotFound) {
        label = host.read(folder + "/attr/current"); // kernels before 5.8
    }
    if (!label) {
        const bool has_ended = label.error().kind == ErrorKind::NotFound || label.error().error_number == ESRCH;
        return has_ended ? Result<std::vector<ApparmorProcess>>(std::vector<ApparmorProcess>{})
                         : Result<std::vector<ApparmorProcess>>(label.error());
    }
    auto parsed = parse_label(*label);
    return std::vector<ApparmorProcess>{
        {parse_number<int>(name).value_or(0), *executable, std::move(parsed.name), std::move(parsed.mode)}};
}

} // namespace

std::vector<ApparmorProfile> parse_apparmor_profiles(std::string_view text)
{
    std::vector<ApparmorProfile> profiles;
    for_each_line(text, [&](std::string_view line, std::uint32_t /*number*/) {
        if (!trimmed(line).empty()) {
            profiles.push_back(parse_label(line));
        }
    });
    return profiles;
}

Result<Apparmor> Apparmor::read(Facts& facts)
{
    const auto& host = facts.host();
    Apparmor apparmor;
    const auto enabled = host::read_kernel(host, kEnabled);
    if (!enabled) {
        return enabled.error().kind == ErrorKind::NotFound ? Result<Apparmor>(std::move(apparmor))
                                                           : Result<Apparmor>(enabled.error());
    }
    apparmor.is_on = enabled->starts_with('Y');
    if (!apparmor.is_on) {
        return apparmor;
    }
    TRY_ASSIGN(const auto profiles, host::read_kernel(host, kProfiles));
    apparmor.profiles = parse_apparmor_profiles(profiles);
    TRY_ASSIGN(const auto names, host.list("/proc"));
    for (const auto& name : names) {
        if (!parse_number<int>(name)) {
            continue;
        }
        TRY_ASSIGN(const auto found, process(host, name));
        apparmor.processes.insert(apparmor.processes.end(), found.begin(), found.end());
    }
    return apparmor;
}

} // namespace hostward::hardening
