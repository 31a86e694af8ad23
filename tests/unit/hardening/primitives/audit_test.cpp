// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"
#include "tests/unit/hardening/primitives/outcome_of.h"

#include <gmock/gmock.h>

#include <linux/audit.h>

namespace hostward::hardening {
namespace {

using testing::HasSubstr;

host::MemoryHost with_rules(const std::string& rules)
{
    host::MemoryHost host;
    host.file("/usr/lib/systemd/system/auditd.service", "[Service]\nExecStartPost=-/sbin/augenrules --load\n");
    host.file("/etc/audit/rules.d/a.rules", rules).file("/etc/passwd", "root:x:0:0::/:/bin/sh\n");
    return host;
}

/// `-w PATH -p PERMISSIONS -k k` as the kernel has it.
std::string watch(const std::string& path, std::uint32_t permissions)
{
    audit_rule_data head = {};
    head.flags = AUDIT_FILTER_EXIT;
    head.action = AUDIT_ALWAYS;
    for (auto& word : head.mask) {
        word = UINT32_MAX;
    }
    head.field_count = 2;
    head.fields[0] = AUDIT_WATCH;
    head.values[0] = static_cast<std::uint32_t>(path.size());
    head.fields[1] = AUDIT_PERM;
    head.values[1] = permissions;
    head.fieldflags[0] = head.fieldflags[1] = AUDIT_EQUAL;
    head.buflen = head.values[0];
    return std::string(reinterpret_cast<const char*>(&head), sizeof(head)) + path;
}

void set_kernel(host::MemoryHost& host, std::uint32_t enabled, std::vector<std::string> rules)
{
    audit_status status = {};
    status.enabled = enabled;
    host.audit(host::AuditQuestion::Status, {std::string(reinterpret_cast<const char*>(&status), sizeof(status))});
    host.audit(host::AuditQuestion::Rules, std::move(rules));
}

Outcome hosts_watched(const host::MemoryHost& host)
{
    return outcome_of(kAuditFilesPrimitive, host, {{"paths", texts({"/etc/hosts"})}, {"permissions", "wa"}});
}

constexpr auto kWatch = "-w /etc/hosts -p wa -k k\n";
const std::string kLoaded = watch("/etc/hosts", AUDIT_PERM_WRITE | AUDIT_PERM_ATTR);

TEST(AuditFiles, FilesAndKernelAreBothJudged)
{
    auto host = with_rules(kWatch);
    EXPECT_EQ(hosts_watched(host).verdict, Verdict::CannotTell) << "the kernel does not answer";
    set_kernel(host, 1, {kLoaded});
    EXPECT_EQ(hosts_watched(host).verdict, Verdict::Pass);
    set_kernel(host, 1, {});
    auto outcome = hosts_watched(host);
    EXPECT_EQ(outcome.verdict, Verdict::Fail);
    EXPECT_THAT(outcome.evidence.at(0).found, HasSubstr("in the files, but not loaded"));
    set_kernel(host, 0, {kLoaded});
    EXPECT_EQ(hosts_watched(host).verdict, Verdict::Fail) << "audit is off";

    auto unwritten = with_rules("");
    EXPECT_EQ(hosts_watched(unwritten).verdict, Verdict::Fail) << "whatever the kernel has";
    set_kernel(unwritten, 1, {kLoaded});
    outcome = hosts_watched(unwritten);
    EXPECT_EQ(outcome.verdict, Verdict::Fail);
    EXPECT_THAT(outcome.evidence.at(0).found, HasSubstr("lost at the next boot"));
}

TEST(AuditFiles, AnImageHasTheFilesOnly)
{
    auto host = with_rules(kWatch).image();
    std::string elf("\x7f"
                    "ELF\x02\x01\x01",
                    7);
    elf.resize(64);
    elf[18] = 62;
    host.file("/bin/sh", elf);
    EXPECT_EQ(hosts_watched(host).verdict, Verdict::Pass);
    EXPECT_EQ(outcome_of(kAuditLoadedPrimitive, host, {}).verdict, Verdict::CannotTell);
    host.file("/bin/sh", "x");
    EXPECT_EQ(hosts_watched(host).verdict, Verdict::CannotTell);
}

TEST(AuditFiles, NothingLoadsThem)
{
    host::MemoryHost host;
    host.file("/etc/audit/rules.d/a.rules", kWatch);
    const auto outcome = hosts_watched(host);
    EXPECT_EQ(outcome.verdict, Verdict::Fail);
    EXPECT_THAT(outcome.evidence.at(0).found, HasSubstr("no unit loads"));
    auto broken = with_rules("");
    broken.broken("/etc/audit/rules.d", Error{ErrorKind::Denied, 0, "not allowed"});
    EXPECT_EQ(hosts_watched(broken).verdict, Verdict::CannotTell);
}

TEST(AuditFiles, TheLineThatStopsIsNamed)
{
    const auto outcome = hosts_watched(with_rules(std::string("-w bad\n") + kWatch));
    EXPECT_EQ(outcome.verdict, Verdict::Fail);
    EXPECT_THAT(outcome.evidence.at(0).found, HasSubstr("auditctl stops at /etc/audit/rules.d/a.rules:1"));
}

TEST(AuditFiles, ProgramsThatAreNotThere)
{
    const auto ask = [](const host::MemoryHost& host) {
        return outcome_of(kAuditFilesPrimitive, host,
                          {{"paths", texts({"/usr/bin/chacl"})},
                           {"permissions", "x"},
                           {"is_program", Value(true)},
                           {"users", "people"}})
            .verdict;
    };
    const std::string rule = "-a always,exit -F path=/usr/bin/chacl -F perm=x -F auid>=1000 -F auid!=unset -k k\n";
    auto host = with_rules(rule);
    EXPECT_EQ(ask(host), Verdict::NotApplicable);
    EXPECT_EQ(ask(host.file("/usr/bin/chacl", "")), Verdict::CannotTell) << "in the files; the kernel does not answer";
    host.file("/etc/login.defs", "UID_MIN 500\n");
    EXPECT_EQ(ask(host), Verdict::Fail) << "accounts for people begin at 500";
}

TEST(AuditSyscalls, ErrorsAreDemandedOneByOne)
{
    const auto ask = [](const std::string& rules) {
        return outcome_of(kAuditSyscallsPrimitive, with_rules(rules),
                          {{"syscalls", texts({"open"})}, {"errors", texts({"EACCES", "EPERM"})}})
            .verdict;
    };
    const auto pair = [](const std::string& rest) {
        return "-a always,exit -F arch=b64 -S open " + rest + "\n-a always,exit -F arch=b32 -S open " + rest + "\n";
    };
    EXPECT_EQ(ask(pair("-F exit=-EACCES")), Verdict::Fail);
    EXPECT_EQ(ask(pair("-F exit=-EACCES") + pair("-F exit=-EPERM")), Verdict::CannotTell) << "not asked the kernel";
}

TEST(AuditSudoLog, TheFileOfSudoers)
{
    const auto ask = [](const host::MemoryHost& host) {
        return outcome_of(kAuditSudoLogPrimitive, host, {{"permissions", "wa"}}).verdict;
    };
    auto host = with_rules("-w /var/log/sudo.log -p wa\n");
    host.directory("/var/log");
    EXPECT_EQ(ask(host), Verdict::NotApplicable) << "no sudo";
    EXPECT_EQ(ask(host.file("/etc/sudoers", "Defaults use_pty\n")), Verdict::Fail);
    EXPECT_EQ(ask(host.file("/etc/sudoers", "Defaults logfile=/var/log/other.log\n")), Verdict::Fail);
    EXPECT_EQ(ask(host.file("/etc/sudoers", "Defaults logfile=\"/var/log/sudo.log\"\n")), Verdict::CannotTell);
    EXPECT_EQ(ask(host.file("/etc/sudoers", "Defaults logfile=/var/log/sudo.log, !logfile\n")), Verdict::Fail);
}

Verdict locked(const std::string& rules, std::uint32_t enabled)
{
    auto host = with_rules(rules);
    set_kernel(host, enabled, {});
    return outcome_of(kAuditLockedPrimitive, host, {}).verdict;
}

TEST(AuditLocked, FilesAndKernel)
{
    EXPECT_EQ(locked("-e 2\n", 2), Verdict::Pass);
    EXPECT_EQ(locked("-e 2\n-w /a -p w\n", 2), Verdict::Pass) << "augenrules puts it at the end";
    EXPECT_EQ(locked("-e 2\n", 1), Verdict::Fail);
    EXPECT_EQ(locked("", 2), Verdict::Fail) << "lost at the next boot";
    EXPECT_EQ(locked("-e 2\n-e 1\n", 2), Verdict::Fail) << "the last one counts";
    EXPECT_EQ(locked("# -e 2\n", 2), Verdict::Fail);
    EXPECT_EQ(locked("-e 2 \n-w bad\n", 2), Verdict::Fail) << "auditctl does not get there";
    EXPECT_EQ(locked("-e 2\r\n", 2), Verdict::Fail) << "a line end of another system";
    EXPECT_EQ(outcome_of(kAuditLockedPrimitive, with_rules("-e 2\n"), {}).verdict, Verdict::CannotTell);
    EXPECT_EQ(outcome_of(kAuditLockedPrimitive, host::MemoryHost(), {}).verdict, Verdict::Fail);
}

TEST(AuditLocked, AFileThatAuditctlReadsItself)
{
    auto host = with_rules("");
    host.file("/usr/lib/systemd/system/auditd.service", "[Service]\nExecStartPost=/sbin/auditctl -R /etc/a.rules\n");
    set_kernel(host, 2, {});
    host.file("/etc/a.rules", "-e 2\n-w /a -p w\n");
    EXPECT_EQ(outcome_of(kAuditLockedPrimitive, host, {}).verdict, Verdict::Fail) << "rules after the lock are lost";
    host.file("/etc/a.rules", "-w /a -p w\n-e 2\n");
    EXPECT_EQ(outcome_of(kAuditLockedPrimitive, host, {}).verdict, Verdict::Pass);
}

TEST(AuditLoaded, BothWays)
{
    auto host = with_rules(kWatch);
    const auto ask = [&] { return outcome_of(kAuditLoadedPrimitive, host, {}).verdict; };
    EXPECT_EQ(ask(), Verdict::CannotTell);
    set_kernel(host, 1, {kLoaded});
    EXPECT_EQ(ask(), Verdict::Pass) << "the key does not matter";
    set_kernel(host, 1, {kLoaded, watch("/etc/x", AUDIT_PERM_WRITE)});
    EXPECT_EQ(ask(), Verdict::Fail);
    set_kernel(host, 1, {});
    EXPECT_EQ(ask(), Verdict::Fail);
    set_kernel(host, 1, {"x"});
    EXPECT_EQ(ask(), Verdict::CannotTell) << "a message that does not fit";
}

Verdict setting(const std::string& conf, Given more)
{
    host::MemoryHost host;
    host.file("/etc/audit/auditd.conf", conf);
    more["setting"] = "max_log_file_action";
    return outcome_of(kAuditdSettingPrimitive, host, std::move(more)).verdict;
}

TEST(AuditdSetting, WordsAndNumbers)
{
    const Given keep{{"values", texts({"keep_logs"})}};
    EXPECT_EQ(setting("max_log_file_action = KEEP_LOGS\n", keep), Verdict::Pass);
    EXPECT_EQ(setting("max_log_file_action = ROTATE\n", keep), Verdict::Fail);
    EXPECT_EQ(setting("", keep), Verdict::Fail) << "auditd's default is another";
    EXPECT_EQ(setting("#max_log_file_action = keep_logs\n", keep), Verdict::Fail);
    EXPECT_EQ(setting("max_log_file_action=keep_logs\n", keep), Verdict::Fail) << "auditd does not start with it";
    EXPECT_EQ(setting("max_log_file_action = keep_logs\nmax_log_file_action = rotate\n", keep), Verdict::Fail);
    const Given least{{"at_least", number_of(8)}};
    EXPECT_EQ(setting("max_log_file_action = 8\n", least), Verdict::Pass);
    EXPECT_EQ(setting("max_log_file_action = 7\n", least), Verdict::Fail);
    EXPECT_EQ(setting("max_log_file_action = many\n", least), Verdict::Fail);
    EXPECT_EQ(
        outcome_of(kAuditdSettingPrimitive, host::MemoryHost(), {{"setting", "x"}, {"values", texts({"y"})}}).verdict,
        Verdict::Fail);
    host::MemoryHost broken;
    broken.file("/etc/audit/auditd.conf", "x = y\n");
    broken.broken("/etc/audit/auditd.conf", Error{ErrorKind::Denied, 0, "no"});
    EXPECT_EQ(outcome_of(kAuditdSettingPrimitive, broken, {{"setting", "x"}, {"values", texts({"y"})}}).verdict,
              Verdict::CannotTell);
}

} // namespace
} // namespace hostward::hardening
