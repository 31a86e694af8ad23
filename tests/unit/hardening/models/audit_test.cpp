// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/audit_coverage.h"
#include "tests/unit/hardening/models/audit_support.h"
#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

#include <linux/audit.h>

#include <cerrno>

namespace hostward::hardening {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// The rule of a line, or why it is refused.
std::string rule(const std::string& line, AuditMachine machine = AuditMachine::X86_64)
{
    const auto command = parse_audit_line(line, surroundings(machine));
    return !command.refused.empty() ? "refused: " + command.refused
           : command.adds           ? audit_rule_text(*command.adds)
                                    : "no rule";
}

bool is_refused(const std::string& line, AuditMachine machine = AuditMachine::X86_64)
{
    return rule(line, machine).starts_with("refused");
}

TEST(AuditLine, WatchesAndRulesAreOneForm)
{
    EXPECT_EQ(rule("-w /etc/passwd -p wa -k x"), "-a always,exit -F path=/etc/passwd -F perm=wa -F key=x");
    EXPECT_EQ(rule("-a always,exit -F path=/etc/passwd -F perm=wa -F key=x"), rule("-w /etc/passwd -p wa -k x"));
    EXPECT_EQ(rule("-a exit,always -F path=/etc/passwd -F perm=aw -k x"), rule("-w /etc/passwd -p wa -k x"));
    EXPECT_EQ(rule("-w /etc/sudoers.d/ -p wa"), "-a always,exit -F dir=/etc/sudoers.d -F perm=wa");
    EXPECT_EQ(rule("-w /etc/passwd"), "-a always,exit -F path=/etc/passwd -F perm=rwxa");
    EXPECT_EQ(rule("-w/etc/passwd -pwa"), rule("-w /etc/passwd -p wa"));
    EXPECT_EQ(rule("-w /a\\ b\\\\c -p w"), "-a always,exit -F path=/a b\\c -F perm=w");
}

TEST(AuditLine, SystemCallsAreASet)
{
    const std::string two = "-a always,exit -F arch=b64 -S open,openat";
    EXPECT_EQ(rule("-a always,exit -F arch=b64 -S open,openat"), two);
    EXPECT_EQ(rule("-a always,exit -F arch=b64 -S openat -S open"), two);
    EXPECT_EQ(rule("-a always,exit -F arch=x86_64 -S 2 -S 257"), two);
    EXPECT_EQ(rule("-a always,exit -F arch=b32 -S open"), "-a always,exit -F arch=b32 -S open");
    EXPECT_EQ(rule("-a always,exit -F arch=b64 -S openat", AuditMachine::Aarch64),
              "-a always,exit -F arch=b64 -S openat");
    EXPECT_TRUE(is_refused("-a always,exit -F arch=b64 -S open", AuditMachine::Aarch64)) << "arm64 has no open";
    EXPECT_TRUE(is_refused("-a always,exit -F arch=b64 -S opan"));
    EXPECT_TRUE(is_refused("-a always,exit -S open -F arch=b64")) << "arch must come first";
    EXPECT_TRUE(is_refused("-a always,task -S open"));
    EXPECT_TRUE(is_refused("-S open"));
}

TEST(AuditLine, UnsetHasThreeSpellings)
{
    const auto parsed = [](const char* value) {
        return parse_audit_line("-a always,exit -F auid!=" + std::string(value), surroundings()).adds->fields;
    };
    EXPECT_EQ(parsed("unset"), parsed("-1"));
    EXPECT_EQ(parsed("unset"), parsed("4294967295"));
    EXPECT_EQ(rule("-a always,exit -F auid>=1000 -F auid!=-1"), "-a always,exit -F auid>=1000 -F auid!=unset");
    EXPECT_EQ(rule("-a always,exit -F uid=root"), "-a always,exit -F uid=0");
    EXPECT_TRUE(is_refused("-a always,exit -F uid=nobody-knows"));
    EXPECT_EQ(rule("-a always,exit -F exit=-EACCES"), "-a always,exit -F exit=-13");
}

TEST(AuditLine, WhatAuditctlOrTheKernelRefuse)
{
    for (const auto* line : {"-w etc/passwd",
                             "-w\t/etc/passwd -p wa",
                             "-w /etc/passwd -p wz",
                             "-w /etc/passwd -p rwxar",
                             "-e 3",
                             "-e 2\r",
                             "-f x",
                             "-b many",
                             "-Z",
                             "-D -k",
                             "-D x",
                             "foo",
                             "-a always",
                             "-a sometimes,exit",
                             "-a always,entry",
                             "-a always,exit -F path=/etc/ -F perm=wa",
                             "-a always,exit -F path!=/etc/x",
                             "-a always,exit -F perm>=w",
                             "-a always,exit -F auid",
                             "-a always,exit -F auid&=4",
                             "-a always,exit -F nothing=1",
                             "-F auid=1",
                             "-a always,exit -C euid!=gid",
                             "-a always,exclude -C euid!=uid",
                             "-k x",
                             "-p wa",
                             "-w /a -w /b",
                             "-a always,exit -w /etc/x",
                             "-w /etc/passwd wa",
                             "-R /x",
                             "-a always,exit -F path=/a -F dir=/b",
                             "\t# no comment",
                             "-a always,user -F path=/etc/x",
                             "-a always,exit -F msgtype=CWD"}) {
        EXPECT_TRUE(is_refused(line)) << line;
    }
    for (const auto* line : {"",
                             "   ",
                             "# x",
                             "  # -w x",
                             "-D",
                             "-D -k x",
                             "-b 8192",
                             "--backlog_wait_time 60000",
                             "--backlog_wait_time=1",
                             "-f 1",
                             "-e 1",
                             "-i",
                             "-c",
                             "-r 100",
                             "--loginuid-immutable",
                             "-a never,exclude -F msgtype=CWD",
                             "-a never,task",
                             "-a always,exit -F arch=b64 -C euid!=uid -S execve -k x",
                             "-a never,filesystem -F fstype=tracefs",
                             "-a always,exit -F exe=/usr/bin/x -k y"}) {
        EXPECT_FALSE(is_refused(line)) << line << ": " << rule(line);
    }
}

TEST(AuditLoad, AnErrorLosesWhatComesAfter)
{
    const auto state = load("-w /etc/a -k a\n-w etc/b -k b\n-w /etc/c -k c\n");
    EXPECT_THAT(keys(state), ElementsAre("a"));
    ASSERT_TRUE(state.stops_at);
    EXPECT_EQ(state.stops_at->text(), "f:2");
    const auto on = load("-i\n-w /etc/a -k a\n-w etc/b -k b\n-w /etc/c -k c\n");
    EXPECT_THAT(keys(on), ElementsAre("a", "c"));
    EXPECT_FALSE(on.stops_at);
    EXPECT_EQ(on.refused.size(), 1U);
    EXPECT_THAT(keys(load("-c\n-Z\n-w /etc/a -k a\n")), ElementsAre("a"));
}

TEST(AuditLoad, OrderDeletionAndTwice)
{
    EXPECT_THAT(keys(load("-w /a -k a\n-D\n-w /b -k b\n")), ElementsAre("b"));
    EXPECT_THAT(keys(load("-w /a -k a\n-D -k a\n-w /b -k b\n")), ElementsAre("b"));
    EXPECT_THAT(keys(load("-w /a -k a\n-A always,exit -F path=/b -F perm=w -k b\n")), ElementsAre("b", "a"));
    EXPECT_THAT(keys(load("-w /a -k a\n-W /a -k a\n")), IsEmpty());
    EXPECT_TRUE(load("-W /a -k a\n").stops_at);
    EXPECT_TRUE(load("-w /a -k a\n-w /a -k a\n").stops_at) << "the kernel has it already";
    EXPECT_FALSE(load("-w /a -k a\n-w /a -k b\n").stops_at);
    EXPECT_TRUE(load("-w /nowhere/a -k a\n").stops_at) << "its folder does not exist";
    EXPECT_TRUE(load("-a always,exit -F dir=/nowhere -k a\n").stops_at);
}

TEST(AuditLoad, TheLockEndsEverything)
{
    const auto state = load("-w /a -k a\n-e 2\n-w /b -k b\n");
    EXPECT_THAT(keys(state), ElementsAre("a"));
    EXPECT_EQ(state.enabled->value, 2U);
    EXPECT_EQ(state.stops_at->line, 3U);
    EXPECT_EQ(load("-e 2\n-e 1\n").enabled->value, 2U);
}

TEST(Augenrules, NamesInVersionOrder)
{
    EXPECT_THAT(augenrules_order({"9-a.rules", "10-b.rules", "a.rules", "A.rules", "x.conf", ".hidden.rules",
                                  "a b.rules", "1.rules~", "09-a.rules"}),
                ElementsAre("09-a.rules", "9-a.rules", "10-b.rules", "A.rules", "a.rules"));
}

std::vector<std::string> merged(const std::vector<AuditFile>& files, bool knows_blank_class = false)
{
    std::vector<std::string> out;
    for (const auto& line : augenrules_lines(files, knows_blank_class)) {
        out.push_back(line.text);
    }
    return out;
}

TEST(Augenrules, ControlLinesMove)
{
    EXPECT_THAT(merged({{"1", "-e 2\n-w /a\n-b 1\n"}, {"2", "-D\n# x\n\n-b 2\n-f 2\n-w /b\n-e 1\n"}}),
                ElementsAre("-D", "-b 2", "-f 2", "-w /a", "-w /b", "-e 1"));
    EXPECT_THAT(merged({{"1", "-e 2\n"}, {"2", "-w /b\n"}}), ElementsAre("-w /b", "-e 2"))
        << "a lock in the first file still comes last";
    EXPECT_THAT(merged({{"1", "-w /a"}, {"2", "-w /b\n"}}), ElementsAre("-w /a-w /b")) << "no line end between files";
    EXPECT_THAT(merged({{"1", "-w /a\n-D -k x\n"}}), ElementsAre("-w /a", "-D -k x"));
}

TEST(Augenrules, BlanksBeforeOptionsDependOnAwk)
{
    EXPECT_THAT(merged({{"1", "  -e 2\n-w /a\n  # x\n"}}, true), ElementsAre("-w /a", "  -e 2"));
    EXPECT_THAT(merged({{"1", "  -e 2\n-w /a\n  # x\n"}}, false), ElementsAre("  -e 2", "-w /a", "  # x"));
    EXPECT_THAT(merged({{"1", "-w /a\n-D \n"}}, false), ElementsAre("-w /a", "-D "));
    EXPECT_THAT(merged({{"1", "-w /a\n-D \n"}}, true), ElementsAre("-D ", "-w /a"));
}

/// Gaps of a demand in one line each.
std::vector<std::string> gaps(const std::string& rules, const AuditDemand& demand,
                              AuditMachine machine = AuditMachine::X86_64)
{
    const auto state = load(rules, machine);
    EXPECT_FALSE(state.stops_at) << rules << state.refused.back().why;
    const host::MemoryHost host;
    PathNames names(host);
    std::vector<std::string> out;
    for (const auto& gap : audit_coverage(state.rules, demand, machine, names).gaps) {
        out.push_back(gap.what + ": " + gap.why);
    }
    return out;
}

AuditDemand calls(std::vector<std::string> syscalls, AuditUsers users = AuditUsers::Everybody)
{
    AuditDemand demand;
    demand.syscalls = std::move(syscalls);
    demand.users = users;
    return demand;
}

TEST(AuditCoverage, RulesTogetherMeetADemand)
{
    const auto demand = calls({"unlink", "rename"}, AuditUsers::People);
    const std::string who = " -F auid>=1000 -F auid!=unset -k x\n";
    EXPECT_THAT(gaps("-a always,exit -F arch=b64 -S unlink,rename,open" + who + "-a always,exit -F arch=b32 -S unlink" +
                         who + "-a exit,always -F arch=b32 -S rename" + who,
                     demand),
                IsEmpty());
    EXPECT_THAT(gaps("-a always,exit -F arch=b64 -S unlink,rename" + who, demand),
                ElementsAre("unlink, rename of 32-bit programs: no rule records it"));
    EXPECT_THAT(
        gaps("-a always,exit -F arch=b64 -S unlink" + who + "-a always,exit -F arch=b32 -S unlink" + who, demand),
        ElementsAre("rename: no rule records it"));
    EXPECT_THAT(gaps("-a always,exit -F arch=b64 -S unlinkat" + who + "-a always,exit -F arch=b32 -S unlinkat" + who,
                     calls({"unlink", "unlinkat"}), AuditMachine::Aarch64),
                ElementsAre("unlinkat of 64-bit programs: no rule records it",
                            "unlink, unlinkat of 32-bit programs: no rule records it"))
        << "people are not everybody; arm64 has no unlink";
}

std::string both(const std::string& rest)
{
    return "-a always,exit -F arch=b64 " + rest + "\n-a always,exit -F arch=b32 " + rest + "\n";
}

TEST(AuditCoverage, FurtherConditionsDoNotCount)
{
    const auto people = calls({"mount"}, AuditUsers::People);
    EXPECT_THAT(gaps(both("-S mount"), people), IsEmpty()) << "wider";
    EXPECT_THAT(gaps(both("-S mount -F auid>=500"), people), IsEmpty());
    EXPECT_THAT(gaps(both("-S mount -F auid>999 -F auid<=4294967294"), people), IsEmpty());
    EXPECT_THAT(gaps(both("-S all"), people), IsEmpty());
    for (const auto* narrow : {"-S mount -F auid>=1001", "-S mount -F euid=0", "-S mount -F success=1",
                               "-S mount -F exit=-EACCES", "-S mount -F auid=1000", "-S mount -F exe=/bin/mount",
                               "-S mount -F dir=/etc", "-S mount -F a0=1", "-S mount -C euid!=uid"}) {
        EXPECT_FALSE(gaps(both(narrow), people).empty()) << narrow;
    }
    EXPECT_FALSE(gaps("-a always,exit -F arch=b64 -S mount\n-a always,exclude -F msgtype=CWD\n", people).empty());
}

TEST(AuditCoverage, ErrorsAndOtherUsers)
{
    auto denied = calls({"open"}, AuditUsers::People);
    denied.exit = -EACCES;
    EXPECT_THAT(gaps(both("-S open -F exit=-EACCES -F auid>=1000 -F auid!=-1"), denied), IsEmpty());
    EXPECT_THAT(gaps(both("-S open -F exit=-13"), denied), IsEmpty());
    EXPECT_THAT(gaps(both("-S open -F success=0"), denied), IsEmpty());
    EXPECT_THAT(gaps(both("-S open -F exit<0"), denied), IsEmpty());
    EXPECT_FALSE(gaps(both("-S open -F exit=-EPERM"), denied).empty());
    auto other = calls({"execve"}, AuditUsers::LoggedIn);
    other.as_other_user = true;
    EXPECT_THAT(gaps(both("-C euid!=uid -F auid!=unset -S execve"), other), IsEmpty());
    EXPECT_THAT(gaps(both("-C uid!=euid -S execve"), other), IsEmpty());
    EXPECT_FALSE(gaps(both("-C euid!=auid -S execve"), other).empty());
    EXPECT_FALSE(gaps(both("-C euid=uid -S execve"), other).empty());
    EXPECT_FALSE(gaps(both("-F auid>=1000 -C uid!=euid -S execve"), other).empty()) << "auid 1 to 999 logged in, too";
    auto clock = calls({"clock_settime"});
    clock.first_argument = 0;
    EXPECT_THAT(gaps(both("-S clock_settime -F a0=0x0"), clock), IsEmpty());
    EXPECT_FALSE(gaps(both("-S clock_settime -F a0=0x1"), clock).empty());
}

AuditDemand access(std::string path, std::uint32_t permissions, bool is_directory = false)
{
    AuditDemand demand;
    demand.path = std::move(path);
    demand.permissions = permissions;
    demand.is_directory = is_directory;
    return demand;
}

TEST(AuditCoverage, PathsAndPermissions)
{
    const auto file = access("/etc/passwd", AUDIT_PERM_WRITE | AUDIT_PERM_ATTR);
    for (const auto* good : {"-w /etc/passwd -p wa\n", "-w /etc/passwd -p rwxa -k any\n", "-w /etc -p wa\n",
                             "-a always,exit -F path=/etc/passwd -F perm=wa\n", "-a always,exit -F path=/etc/passwd\n",
                             "-a always,exit -S all -F dir=/etc -F perm=wa\n"}) {
        EXPECT_THAT(gaps(good, file), IsEmpty()) << good;
    }
    for (const auto* bad : {"-w /etc/passwd -p w\n", "-w /etc/passwd- -p wa\n", "-w /etc/passwd -p r\n",
                            "-a always,exit -F arch=b64 -F path=/etc/passwd -F perm=wa\n",
                            "-a always,exit -F arch=b64 -S open -F path=/etc/passwd -F perm=wa\n",
                            "-a always,exit -F path=/etc/passwd -F perm=wa -F auid>=1000\n", "-w /et -p wa\n"}) {
        EXPECT_FALSE(gaps(bad, file).empty()) << bad;
    }
    const auto folder = access("/etc/sudoers.d", AUDIT_PERM_WRITE, true);
    EXPECT_THAT(gaps("-w /etc/sudoers.d/ -p wa\n", folder), IsEmpty());
    EXPECT_FALSE(gaps("-a always,exit -F path=/etc/sudoers.d -F perm=wa\n", folder).empty()) << "not what is in it";
    EXPECT_FALSE(gaps("-w /etc/sudoers.d/x -p wa\n", folder).empty());
    const auto program = access("/usr/bin/su", AUDIT_PERM_EXEC);
    EXPECT_THAT(gaps("-a always,exit -S execve,execveat -F path=/usr/bin/su -F perm=x\n", program), testing::SizeIs(1));
    EXPECT_THAT(gaps(both("-S execve,execveat -F path=/usr/bin/su -F perm=x"), program), IsEmpty());
}

TEST(AuditCoverage, LinksLeadToTheSameFile)
{
    host::MemoryHost host;
    host.link("/bin", "usr/bin").file("/usr/bin/su", "").link("/loop", "/loop");
    PathNames names(host);
    EXPECT_EQ(names.of("/bin/su"), "/usr/bin/su");
    EXPECT_EQ(names.of("/bin"), "/bin") << "the link itself";
    EXPECT_EQ(names.followed("/bin/"), "/usr/bin");
    EXPECT_EQ(names.of("/loop/x"), names.of("/loop/x")) << "comes to an end";
    const auto state = load("-a always,exit -F path=/bin/su -F perm=x\n");
    EXPECT_THAT(audit_coverage(state.rules, access("/usr/bin/su", AUDIT_PERM_EXEC), AuditMachine::X86_64, names).gaps,
                IsEmpty());
}

TEST(AuditCoverage, NeverRulesAreSeen)
{
    const auto demand = calls({"mount"});
    const std::string rules = both("-S mount");
    EXPECT_THAT(gaps("-a never,exit -F arch=b64 -S mount\n" + rules, demand),
                ElementsAre(HasSubstr("mount of 64-bit programs: taken out before by -a never,exit")));
    EXPECT_FALSE(gaps("-a never,exit -F auid=unset\n" + rules, demand).empty()) << "a part of them is gone";
    EXPECT_THAT(gaps("-a never,exit -F auid=unset\n" + rules, calls({"mount"}, AuditUsers::People)), IsEmpty());
    EXPECT_THAT(gaps(rules + "-a never,exit -S all\n", demand), IsEmpty()) << "too late";
    EXPECT_FALSE(gaps(rules + "-A never,exit -S all\n", demand).empty());
    EXPECT_THAT(gaps(rules + "-a never,task\n", demand), ElementsAre(HasSubstr("nothing is recorded")));
    EXPECT_THAT(gaps(rules + "-a always,exclude -F msgtype=SYSCALL\n", demand), testing::SizeIs(1));
    EXPECT_THAT(gaps(rules + "-a always,exclude -F msgtype=CWD\n", demand), IsEmpty());
    EXPECT_THAT(gaps(rules + "-a always,exclude -F msgtype>=1300\n", demand), testing::SizeIs(1));
    EXPECT_THAT(gaps(rules + "-a never,user -F msgtype=1100\n", demand), IsEmpty());
}

} // namespace
} // namespace hostward::hardening
