// SPDX-License-Identifier: Apache-2.0
// Whole profiles on a host some of whose files hold any bytes: models, primitives and formats together. The first byte
// chooses the profile; then come files: a byte that names one, its text, a byte 0xFF.
#include "agent/host/host.h"
#include "hardening/engine/library.h"
#include "hardening/formats/formats.h"
#include "hardening/primitives/primitives.h"
#include "tests/fuzz/check.h"
#include "tests/unit/hardening/support/memory_host.h"

#include <nlohmann/json.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace hostward;
using namespace hostward::hardening;

/// What the checks read, live or in an image.
constexpr std::array kFiles{
    "/etc/ssh/sshd_config",
    "/etc/ssh/sshd_config.d/50-a.conf",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/group",
    "/etc/gshadow",
    "/etc/login.defs",
    "/etc/default/useradd",
    "/etc/shells",
    "/etc/nsswitch.conf",
    "/etc/sudoers",
    "/etc/sudoers.d/a",
    "/etc/pam.d/common-auth",
    "/etc/pam.d/common-password",
    "/etc/pam.d/system-auth",
    "/etc/pam.d/su",
    "/etc/security/faillock.conf",
    "/etc/security/pwquality.conf",
    "/etc/security/limits.conf",
    "/etc/sysctl.d/50-a.conf",
    "/etc/modprobe.d/a.conf",
    "/etc/fstab",
    "/proc/self/mountinfo",
    "/proc/modules",
    "/proc/cmdline",
    "/proc/net/tcp",
    "/proc/net/udp6",
    "/boot/grub/grub.cfg",
    "/etc/default/grub",
    "/etc/selinux/config",
    "/sys/kernel/security/apparmor/profiles",
    "/etc/chrony/chrony.conf",
    "/etc/systemd/journald.conf",
    "/etc/systemd/system/a.service",
    "/usr/lib/systemd/system/ssh.service",
    "/var/lib/dpkg/status",
    "/var/lib/rpm/rpmdb.sqlite",
    "/usr/lib/sysimage/rpm/Packages.db",
    "/etc/crypto-policies/config",
    "/etc/crypto-policies/state/CURRENT.pol",
    "/etc/dconf/profile/user",
    "/etc/dconf/db/gdm.d/00-a",
    "/etc/profile",
    "/etc/profile.d/a.sh",
    "/etc/bash.bashrc",
    "/root/.bashrc",
    "/etc/audit/auditd.conf",
    "/etc/audit/rules.d/a.rules",
    "/etc/nftables.conf",
    "/etc/iptables/rules.v4",
    "/etc/ufw/ufw.conf",
    "/etc/default/ufw",
    "/etc/ufw/user.rules",
    "/etc/firewalld/firewalld.conf",
    "/etc/dnf/dnf.conf",
    "/etc/yum.repos.d/a.repo",
    "/etc/rsyslog.conf",
    "/etc/apt/sources.list",
    "/etc/issue",
    "/etc/hosts.allow",
    "/etc/cron.allow",
    "/etc/machine-id",
};
constexpr char kEndOfFile = static_cast<char>(0xFF);

const Library& library()
{
    static const Library loaded = [] {
        const auto machine = host::open_host();
        FUZZ_CHECK(machine);
        auto found = load_library(**machine, HOSTWARD_LIBRARY, all_primitives());
        FUZZ_CHECK(found);
        return *std::move(found);
    }();
    return loaded;
}

host::MemoryHost host_of(std::string_view text)
{
    host::MemoryHost made;
    while (!text.empty()) {
        const auto& path = kFiles.at(static_cast<unsigned char>(text.front()) % kFiles.size());
        text.remove_prefix(1);
        const auto end = text.find(kEndOfFile);
        made.file(path, std::string(text.substr(0, end)));
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
    }
    return made;
}

void look_at_pages(const Report& report)
{
    FUZZ_CHECK(!nlohmann::json::parse(json_report(report), nullptr, false).is_discarded());
    for (const auto& page : {text_report(report), junit_report(report), html_report(report)}) {
        FUZZ_CHECK(page.find('\x1b') == page.npos);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) {
        return 0;
    }
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto& profiles = library().profiles;
    auto host = host_of(text.substr(1));
    const auto choice = static_cast<unsigned char>(text[0]);
    constexpr unsigned char kImages = 128; // and more
    if (choice >= kImages) {
        host.image();
    }
    const auto& profile = profiles.at(choice % profiles.size());
    constexpr std::int64_t kNow = 1'800'000'000;
    Facts facts(host, kNow, false);
    const Report report = run_profile(profile, library(), {}, {}, facts);
    FUZZ_CHECK(report.findings.size() == profile.recommendations.size());
    for (const auto& finding : report.findings) {
        const auto verdict = finding.outcome.verdict;
        const bool is_told = verdict == Verdict::Pass || verdict == Verdict::Fail;
        if (is_told && finding.outcome.evidence.empty()) {
            (void)std::fprintf(stderr, "no evidence: %s\n", finding.recommendation->rule.c_str());
        }
        FUZZ_CHECK(!is_told || !finding.outcome.evidence.empty());
    }
    constexpr std::size_t kOneIn = 8; // the pages take longer than the checks
    if (size % kOneIn == 0) {
        look_at_pages(report);
    }
    return 0;
}
