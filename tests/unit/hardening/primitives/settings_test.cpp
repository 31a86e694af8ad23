// SPDX-License-Identifier: Apache-2.0
// Settings of services, desktops and the mandatory access controls.
#include "tests/unit/hardening/primitives/ask.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

TEST(SystemdConfigPrimitive, ValuesDefaultsAndYesInAllItsForms)
{
    const auto compress = [](const host::MemoryHost& host, bool has_default) {
        ArgumentValues values{{"config", text("journald")},
                              {"section", text("Journal")},
                              {"key", text("Compress")},
                              {"values", list({"yes"})}};
        if (has_default) {
            values.emplace("default", text("yes"));
        }
        return ask(kSystemdConfigPrimitive, host, std::move(values));
    };
    host::MemoryHost host;
    EXPECT_EQ(compress(host, true), "pass");
    EXPECT_EQ(compress(host, false), "fail");
    host.file("/etc/systemd/journald.conf", "[Journal]\nCompress=on\n");
    EXPECT_EQ(compress(host, false), "pass");
    host.file("/usr/lib/systemd/journald.conf.d/x.conf", "[Journal]\nCompress=no\n");
    EXPECT_EQ(compress(host, true), "fail");
    host.broken("/etc/systemd/journald.conf", Error{ErrorKind::Denied, 13, "denied"});
    EXPECT_EQ(compress(host, true), "error");
}

TEST(SystemdConfigPrimitive, SetToAnything)
{
    const ArgumentValues ntp{{"config", text("timesyncd")}, {"section", text("Time")}, {"key", text("NTP")}};
    host::MemoryHost host;
    EXPECT_EQ(ask(kSystemdConfigPrimitive, host, ntp), "fail");
    host.file("/etc/systemd/timesyncd.conf", "[Time]\nNTP=169.254.169.123\n");
    EXPECT_EQ(ask(kSystemdConfigPrimitive, host, ntp), "pass");
    host.file("/etc/systemd/timesyncd.conf", "[Time]\nNTP=a\nNTP=\n");
    EXPECT_EQ(ask(kSystemdConfigPrimitive, host, ntp), "fail");
}

TEST(KeyFilePrimitive, XdmcpOfGdm)
{
    const ArgumentValues xdmcp{{"path", text("/etc/gdm/custom.conf")},
                               {"section", text("xdmcp")},
                               {"key", text("Enable")},
                               {"values", list({"false"})},
                               {"default", text("false")}};
    host::MemoryHost host;
    EXPECT_EQ(ask(kKeyFilePrimitive, host, xdmcp), "pass");
    host.file("/etc/gdm/custom.conf", "[xdmcp]\nEnable=true\n");
    EXPECT_EQ(ask(kKeyFilePrimitive, host, xdmcp), "fail");
    host.file("/etc/gdm/custom.conf", "[xdmcp]\n#Enable=true\n");
    EXPECT_EQ(ask(kKeyFilePrimitive, host, xdmcp), "pass");
    host.file("/etc/gdm/custom.conf", "garbage\n");
    EXPECT_EQ(ask(kKeyFilePrimitive, host, xdmcp), "cannot-tell");
}

TEST(LimitPrimitive, EverybodyAndNoExceptions)
{
    const ArgumentValues core{{"item", text("core")}, {"maximum", number(0)}};
    host::MemoryHost host;
    EXPECT_EQ(ask(kLimitPrimitive, host, core), "fail");
    host.file("/etc/security/limits.conf", "* hard core 0\n");
    EXPECT_EQ(ask(kLimitPrimitive, host, core), "pass");
    host.file("/etc/security/limits.conf", "#* hard core 0\n* soft core 0\n");
    EXPECT_EQ(ask(kLimitPrimitive, host, core), "fail");
    host.file("/etc/security/limits.conf", "* hard core 0\n")
        .file("/etc/security/limits.d/z.conf", "* - core unlimited\n");
    EXPECT_EQ(ask(kLimitPrimitive, host, core), "fail");
    host.file("/etc/security/limits.d/z.conf", "bob hard core -1\n");
    EXPECT_EQ(ask(kLimitPrimitive, host, core), "fail");
    host.file("/etc/security/limits.d/z.conf", "bob soft core unlimited\n");
    EXPECT_EQ(ask(kLimitPrimitive, host, core), "pass");
    // Debian 13 has such lines; a later one for the same domain counts.
    host.file("/etc/security/limits.d/10-coredump-debian.conf", "* hard core infinity\nroot hard core infinity\n");
    host.file("/etc/security/limits.d/60.conf", "* hard core 0\n");
    EXPECT_EQ(ask(kLimitPrimitive, host, core), "fail");
    host.file("/etc/security/limits.d/60.conf", "* hard core 0\nroot hard core 0\n");
    EXPECT_EQ(ask(kLimitPrimitive, host, core), "pass");
}

TEST(DconfPrimitives, ValuesLocksAndWhatWasNotCompiled)
{
    const std::string key = "/org/gnome/desktop/session/idle-delay";
    const ArgumentValues idle{
        {"profile", text("user")}, {"key", text(key)}, {"minimum", number(1)}, {"maximum", number(900)}};
    const ArgumentValues lock{{"profile", text("user")}, {"key", text(key)}};
    host::MemoryHost host;
    EXPECT_EQ(ask(kDconfPrimitive, host, idle), "fail");
    host.file("/etc/dconf/profile/user", "user-db:user\nsystem-db:local\n");
    host.file("/etc/dconf/db/local.d/a", "[org/gnome/desktop/session]\nidle-delay=uint32 900\n");
    EXPECT_EQ(ask(kDconfPrimitive, host, idle), "fail"); // no dconf update yet
    host.file("/etc/dconf/db/local", "");
    EXPECT_EQ(ask(kDconfPrimitive, host, idle), "pass");
    EXPECT_EQ(ask(kDconfLockPrimitive, host, lock), "fail");
    host.file("/etc/dconf/db/local.d/locks/a", key + "\n");
    EXPECT_EQ(ask(kDconfLockPrimitive, host, lock), "pass");
    host.file("/etc/dconf/db/local.d/a", "[org/gnome/desktop/session]\nidle-delay=uint32 0\n");
    EXPECT_EQ(ask(kDconfPrimitive, host, idle), "fail"); // 0: never
}

TEST(SelinuxPrimitives, ModeNowAtBootAndByTheCommandLine)
{
    const ArgumentValues enforcing{{"at_least", text("enforcing")}};
    const ArgumentValues permissive{{"at_least", text("permissive")}};
    host::MemoryHost host;
    host.file("/proc/filesystems", "nodev\tselinuxfs\n").file("/sys/fs/selinux/enforce", "1");
    EXPECT_EQ(ask(kSelinuxModePrimitive, host, permissive), "fail"); // no configuration
    host.file("/etc/selinux/config", "SELINUX=enforcing\nSELINUXTYPE=targeted\n");
    EXPECT_EQ(ask(kSelinuxModePrimitive, host, enforcing), "pass");
    host.file("/sys/fs/selinux/enforce", "0"); // setenforce 0
    EXPECT_EQ(ask(kSelinuxModePrimitive, host, enforcing), "fail");
    EXPECT_EQ(ask(kSelinuxModePrimitive, host, permissive), "pass");
    host.file("/sys/fs/selinux/enforce", "1").file("/boot/loader/entries/a.conf", "options root=x enforcing=0\n");
    EXPECT_EQ(ask(kSelinuxModePrimitive, host, enforcing), "fail");
    EXPECT_EQ(ask(kSelinuxModePrimitive, host, permissive), "pass");
    EXPECT_EQ(ask(kSelinuxPolicyPrimitive, host, {{"policies", list({"targeted", "mls"})}}), "pass");
    EXPECT_EQ(ask(kSelinuxPolicyPrimitive, host, {{"policies", list({"mls"})}}), "fail");
    host.file("/etc/selinux/config", "SELINUX=Permisive\n"); // stays permissive, says systemd
    EXPECT_EQ(ask(kSelinuxModePrimitive, host, permissive), "pass");
}

TEST(SelinuxPrimitives, DomainsOfProcesses)
{
    const ArgumentValues domains{{"domains", list({"unconfined_service_t"})}};
    host::MemoryHost host;
    host.file("/proc/filesystems", "").file("/proc/7/attr/current", "system_u:system_r:sshd_t:s0\n");
    EXPECT_EQ(ask(kSelinuxDomainPrimitive, host, domains), "fail"); // off: nothing is confined
    host.file("/sys/fs/selinux/enforce", "1");
    EXPECT_EQ(ask(kSelinuxDomainPrimitive, host, domains), "pass");
    host.file("/proc/8/attr/current", std::string("system_u:system_r:unconfined_service_t:s0\0", 42))
        .file("/proc/8/comm", "x\n");
    EXPECT_EQ(ask(kSelinuxDomainPrimitive, host, domains), "fail");
    host.image();
    EXPECT_EQ(ask(kSelinuxDomainPrimitive, host, domains), "error");
}

TEST(ApparmorPrimitive, OffIsAFailureAndAnImageCannotTell)
{
    const ArgumentValues enforce{{"modes", list({"enforce", "kill"})}};
    host::MemoryHost host;
    host.directory("/proc");
    EXPECT_EQ(ask(kApparmorPrimitive, host, enforce), "fail");
    host.file("/sys/module/apparmor/parameters/enabled", "Y\n").file("/sys/kernel/security/apparmor/profiles", "");
    EXPECT_EQ(ask(kApparmorPrimitive, host, enforce), "fail"); // none loaded
    host.file("/sys/kernel/security/apparmor/profiles", "/bin/x (enforce)\n");
    EXPECT_EQ(ask(kApparmorPrimitive, host, enforce), "pass");
    host.file("/proc/7/attr/apparmor/current", "unconfined\n").link("/proc/7/exe", "/bin/x");
    EXPECT_EQ(ask(kApparmorPrimitive, host, enforce), "fail");
    host.link("/proc/7/exe", "/bin/y").file("/sys/kernel/security/apparmor/profiles", "/bin/x (complain)\n");
    EXPECT_EQ(ask(kApparmorPrimitive, host, enforce), "fail");
    host.image();
    EXPECT_EQ(ask(kApparmorPrimitive, host, enforce), "error");
}

TEST(CryptoPolicyPrimitives, NameAndValues)
{
    const ArgumentValues legacy{{"without", list({"LEGACY"})}};
    const ArgumentValues cbc{
        {"setting", text("cipher")}, {"scopes", list({"openssh-server"})}, {"without", list({"*-CBC"})}};
    host::MemoryHost host;
    EXPECT_EQ(ask(kCryptoPolicyPrimitive, host, legacy), "fail");
    EXPECT_EQ(ask(kCryptoPolicyValuesPrimitive, host, cbc), "cannot-tell");
    host.file("/etc/crypto-policies/config", "DEFAULT\n").file("/etc/crypto-policies/state/current", "LEGACY:X\n");
    EXPECT_EQ(ask(kCryptoPolicyPrimitive, host, legacy), "fail"); // not applied yet
    host.file("/etc/crypto-policies/state/current", "DEFAULT\n");
    EXPECT_EQ(ask(kCryptoPolicyPrimitive, host, legacy), "pass");
    host.file("/etc/crypto-policies/state/CURRENT.pol", "cipher = AES-256-cbc\n");
    EXPECT_EQ(ask(kCryptoPolicyValuesPrimitive, host, cbc), "fail");
    host.file("/etc/crypto-policies/state/CURRENT.pol", "cipher = AES-256-CBC\ncipher@SSH = AES-256-GCM\n");
    EXPECT_EQ(ask(kCryptoPolicyValuesPrimitive, host, cbc), "pass");
    host.file("/etc/crypto-policies/config", "DEFAULT:NO-CBC\n");
    EXPECT_EQ(ask(kCryptoPolicyValuesPrimitive, host, cbc), "fail"); // not applied yet
}

TEST(ChronyPrimitives, SourcesAndUser)
{
    const ArgumentValues sources{{"directives", list({"server", "pool"})}};
    host::MemoryHost host;
    host.directory("/proc");
    EXPECT_EQ(ask(kChronyDirectivePrimitive, host, sources), "fail");
    EXPECT_EQ(ask(kChronyUserPrimitive, host, {}), "pass");
    host.file("/etc/chrony.conf", "#server a\npool b\n");
    EXPECT_EQ(ask(kChronyDirectivePrimitive, host, sources), "pass");
    host.file("/etc/chrony.conf", "user chrony\nuser root\n");
    EXPECT_EQ(ask(kChronyUserPrimitive, host, {}), "fail");
    host.file("/etc/sysconfig/chronyd", "OPTIONS=\"-F 2 -u chrony\"\n");
    EXPECT_EQ(ask(kChronyUserPrimitive, host, {}), "pass");
    host.file("/proc/7/comm", "chronyd\n").file("/proc/7/status", "Name:\tchronyd\nUid:\t0\t0\t0\t0\n");
    EXPECT_EQ(ask(kChronyUserPrimitive, host, {}), "fail");
    host.file("/proc/7/status", "Name:\tchronyd\nUid:\t998\t998\t998\t998\n");
    EXPECT_EQ(ask(kChronyUserPrimitive, host, {}), "pass");
}

TEST(OneExistsPrimitive, LinksAreFollowed)
{
    const ArgumentValues paths{{"paths", list({"/a", "/b"})}};
    host::MemoryHost host;
    host.link("/b", "/c");
    EXPECT_EQ(ask(kOneExistsPrimitive, host, paths), "fail");
    host.file("/c", "");
    EXPECT_EQ(ask(kOneExistsPrimitive, host, paths), "pass");
    host.broken("/a", Error{ErrorKind::Denied, 13, "denied"});
    EXPECT_EQ(ask(kOneExistsPrimitive, host, paths), "error");
}

} // namespace
} // namespace hostward::hardening
