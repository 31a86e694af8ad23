// SPDX-License-Identifier: Apache-2.0
// Any bytes as each of the small formats that the checks read. What a parser gives back lies within its input.
#include "hardening/models/apparmor.h"
#include "hardening/models/chrony.h"
#include "hardening/models/conf_files.h"
#include "hardening/models/crypto_policy.h"
#include "hardening/models/dconf.h"
#include "hardening/models/fstab.h"
#include "hardening/models/ini.h"
#include "hardening/models/kernel_arguments.h"
#include "hardening/models/kernel_modules.h"
#include "hardening/models/limits.h"
#include "hardening/models/modprobe.h"
#include "hardening/models/mounts.h"
#include "hardening/models/selinux.h"
#include "hardening/models/shell_assignments.h"
#include "hardening/models/sysctl.h"
#include "tests/fuzz/check.h"

#include <cstdint>
#include <string_view>

namespace {

using namespace hostward::hardening;

void look_at_kernel(std::string_view text)
{
    SysctlConfig config;
    for (auto& setting : parse_sysctl(text, "f")) {
        FUZZ_CHECK(!setting.key.empty() && !setting.key.starts_with('/') && !setting.key.ends_with('/'));
        FUZZ_CHECK(sysctl_key("/" + setting.key) == setting.key);
        config.add(std::move(setting));
    }
    for (const auto& setting : config.settings) {
        const auto* decides = config.at_boot(setting.key);
        FUZZ_CHECK(decides == nullptr || decides->value.has_value());
        FUZZ_CHECK(!setting.value || (decides != nullptr && decides->key == setting.key));
    }
    ModprobeConfig modprobe;
    modprobe.parse(text, "f");
    for (const auto& one : modprobe.blacklist) {
        FUZZ_CHECK(modprobe.blacklisting(one.module) != nullptr);
    }
    for (const auto& name : parse_modules_dep(text)) {
        FUZZ_CHECK(!name.empty() && name.find('/') == std::string::npos);
    }
    (void)parse_modules_builtin(text);
    for (const auto& entry : parse_grub_config(text, "f")) {
        (void)find_argument(entry.arguments, "audit");
    }
    (void)parse_bls_entry(text, "f", parse_grubenv(text));
    const auto arguments = parse_kernel_arguments(text);
    FUZZ_CHECK(arguments.empty() || find_argument(arguments, arguments.front().name) != nullptr);
}

void look_at_mounts(std::string_view text)
{
    for (const auto& entry : parse_fstab(text, "f")) {
        FUZZ_CHECK(!entry.source.empty() && !entry.type.empty());
        (void)options_give(entry.options, "nodev");
    }
    const auto mounts = parse_mountinfo(text);
    if (mounts) {
        const Mounts table{*mounts};
        for (const auto& mount : *mounts) {
            const auto* found = table.at(mount.point);
            FUZZ_CHECK(found == nullptr || found->point == mount.point);
        }
    }
}

void look_at_settings(std::string_view text)
{
    Ini ini;
    parse_systemd_ini(text, "f", ini);
    for (const auto& entry : ini.entries) {
        FUZZ_CHECK(!entry.section.empty());
        FUZZ_CHECK(entry.value.size() <= text.size());
    }
    (void)parse_key_file(text, "f");
    (void)parse_shell_assignments(text, "f");
    (void)parse_limits(text, "f");
    (void)parse_chrony(text, "f");
    (void)parse_dconf_locks(text, "f");
    (void)parse_dconf_profile(text);
    (void)parse_crypto_policy_name(text);
    (void)parse_crypto_policy_state(text);
    (void)parse_selinux_config(text, "f");
    (void)parse_apparmor_profiles(text);
    (void)glob_matches(std::string(text.substr(0, text.size() / 2)), std::string(text.substr(text.size() / 2)));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    look_at_kernel(text);
    look_at_mounts(text);
    look_at_settings(text);
    return 0;
}
