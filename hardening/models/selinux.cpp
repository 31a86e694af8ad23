// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/selinux.h"

#include "hardening/models/conf_files.h"

namespace hostward::hardening {

namespace {

constexpr auto kConfig = "/etc/selinux/config";
constexpr auto kEnforce = "/sys/fs/selinux/enforce";

/// By its beginning, any case: libselinux compares so.
std::optional<SelinuxMode> mode_of(std::string_view text)
{
    const std::string word = lower(trimmed(text));
    for (const auto mode : {SelinuxMode::Enforcing, SelinuxMode::Permissive, SelinuxMode::Disabled}) {
        if (word.starts_with(selinux_mode_name(mode))) {
            return mode;
        }
    }
    return std::nullopt;
}

} // namespace

const char* selinux_mode_name(SelinuxMode mode)
{
    switch (mode) {
    case SelinuxMode::Disabled: return "disabled";
    case SelinuxMode::Permissive: return "permissive";
    case SelinuxMode::Enforcing: return "enforcing";
    }
    return "?";
}

SelinuxConfig parse_selinux_config(std::string_view text, const std::string& file)
{
    SelinuxConfig config;
    config.is_there = true;
    config.mode_where = config.type_where = Origin{file, 0};
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        constexpr std::string_view kMode = "SELINUX=";
        constexpr std::string_view kType = "selinuxtype=";
        // The mode: first line that says a known one, at the line's start. The type: last line, blanks before allowed.
        if (!config.mode && line.starts_with(kMode)) {
            config.mode = mode_of(line.substr(kMode.size()));
            config.mode_where.line = number;
        }
        const auto shown = trimmed(line);
        if (lower(shown).starts_with(kType)) {
            config.type = std::string(trimmed(shown.substr(kType.size())));
            config.type_where.line = number;
        }
    });
    return config;
}

Result<SelinuxConfig> SelinuxConfig::read(Facts& facts)
{
    TRY_ASSIGN(const auto files, conf_file(facts.host(), kConfig));
    if (files.empty()) {
        SelinuxConfig none;
        none.mode_where = none.type_where = Origin{kConfig, 0};
        return none;
    }
    return parse_selinux_config(files.front().text, files.front().path);
}

Result<RunningSelinux> RunningSelinux::read(Facts& facts)
{
    const auto text = host::read_kernel(facts.host(), kEnforce);
    if (text) {
        return RunningSelinux{trimmed(std::string_view(*text).substr(0, 1)) == "1" ? SelinuxMode::Enforcing
                                                                                   : SelinuxMode::Permissive};
    }
    if (text.error().kind != ErrorKind::NotFound) {
        return text.error();
    }
    // No selinuxfs: SELinux is off, unless only the file system is not mounted.
    TRY_ASSIGN(const auto filesystems, host::read_kernel(facts.host(), "/proc/filesystems"));
    if (filesystems.find("\tselinuxfs\n") != filesystems.npos) {
        return Error{ErrorKind::Unsupported, 0,
                     "the kernel has SELinux, but selinuxfs is not mounted on /sys/fs/selinux"};
    }
    return RunningSelinux{};
}

} // namespace hostward::hardening
