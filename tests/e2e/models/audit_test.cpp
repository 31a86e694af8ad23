// SPDX-License-Identifier: Apache-2.0
// Rules files against the programs that read them. auditctl believes that it talks to a kernel (audit_recorder.cpp),
// and what it sends is what the parser says, byte for byte once decoded. augenrules runs as it is, over folders of the
// test's own in a mount namespace.
#include "agent/base/text.h"
#include "hardening/models/audit_config.h"
#include "hardening/models/audit_kernel.h"
#include "hardening/models/audit_kernel_rules.h"
#include "hardening/models/augenrules.h"
#include "tests/e2e/models/folder.h"
#include "tests/e2e/models/oracle.h"

#include <gtest/gtest.h>

#include <linux/audit.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

namespace hostward::hardening {
namespace {

constexpr auto kAuditctl = "/sbin/auditctl";
constexpr auto kAugenrules = "/sbin/augenrules";
constexpr int kLinesOfAFile = 100;

template <typename List> std::string of(oracle::Random& random, const List& list)
{
    return std::string(random.pick(list));
}

std::string random_calls(oracle::Random& random)
{
    constexpr std::array kCalls{"open",  "openat", "execve", "mount",   "adjtimex", "all",        "257",
                                "chmod", "stime",  "pread",  "UNLINK",  "nothing",  "fchmodat",   "settimeofday",
                                "2031",  "9999",   "umount", "umount2", "newfstat", "init_module"};
    std::string calls = of(random, kCalls);
    while (random.one_in(2)) {
        calls += "," + of(random, kCalls);
    }
    return calls;
}

std::string random_field(oracle::Random& random)
{
    constexpr std::array kFields{"auid",      "uid",  "euid",     "gid",       "exit",    "success", "perm",
                                 "path",      "dir",  "exe",      "key",       "arch",    "a0",      "msgtype",
                                 "filetype",  "pid",  "ppid",     "sessionid", "obj_uid", "inode",   "devmajor",
                                 "subj_type", "AUID", "loginuid", "nothing",   "fstype",  "pers",    "field_compare"};
    constexpr std::array kOperators{"=", "=", "=", "!=", ">=", "<=", ">", "<", "&", "&="};
    constexpr std::array kValues{
        "1000", "unset",   "-1",  "4294967295", "0",           "root",  "nobody-knows", "-EACCES", "EPERM", "-13",
        "wa",   "rwxa",    "x",   "q",          "/etc/passwd", "/etc/", "/usr/bin",     "b64",     "b32",   "x86_64",
        "0x10", "SYSCALL", "CWD", "1300",       "file",        "dir",   "tracefs",      "1x",      "",      "bin_t"};
    return of(random, kFields) + of(random, kOperators) + of(random, kValues);
}

/// A field that means something, for rules that are taken more often.
std::string usual_field(oracle::Random& random)
{
    constexpr std::array kFields{
        "auid>=1000", "auid!=unset",      "auid!=-1",  "exit=-EACCES",     "exit=-EPERM", "perm=wa",
        "perm=x",     "path=/etc/passwd", "dir=/etc",  "path=/usr/bin/su", "key=k",       "success=0",
        "euid=0",     "uid=root",         "gid=root",  "exe=/usr/bin/su",  "arch=b64",    "arch=b32",
        "a0=0x0",     "filetype=file",    "auid=0x3e8"};
    return of(random, kFields);
}

std::string random_option(oracle::Random& random)
{
    constexpr std::array kPaths{"/etc/passwd", "/etc/",  "/etc", "/usr/bin/", "/nowhere",
                                "relative",    "/a\\ b", "//",   "/"};
    constexpr std::array kCompared{"euid!=uid", "uid!=euid", "auid=uid",    "gid!=egid",
                                   "uid!=gid",  "euid>uid",  "nothing=uid", "obj_uid=fsuid"};
    constexpr std::array kPermissions{"wa", "x", "rwxa", "WA", "rwxaa", "z"};
    constexpr std::array kKeys{"k", "identity", "two", "k\r"};
    switch (random.below(12)) {
    case 0: return "-w " + of(random, kPaths);
    case 1:
    case 2: return "-p " + of(random, kPermissions);
    case 3: return "-k " + of(random, kKeys);
    case 4:
    case 5: return "-S " + random_calls(random);
    case 6: return "-C " + of(random, kCompared);
    case 7: return "-F " + random_field(random);
    case 8: return of(random, std::array{"-F", "-e 1", "-f 2", "word", "-Sopen", "-F\tauid=1", "--", "-i", "-pwa"});
    default: return "-F " + usual_field(random);
    }
}

std::string random_line(oracle::Random& random)
{
    constexpr std::array kStarts{"-a always,exit",
                                 "-a exit,always",
                                 "-A always,exit",
                                 "-d always,exit",
                                 "-a never,exit",
                                 "-a never,task",
                                 "-a always,exclude",
                                 "-a always,user",
                                 "-a never,filesystem",
                                 "-a always,exit -F arch=b64",
                                 "-a always,exit -F arch=b32",
                                 "-w /etc/passwd",
                                 "-w /etc",
                                 "-W /etc/passwd",
                                 "-a always",
                                 "-a possible,exit",
                                 "",
                                 "#",
                                 " ",
                                 "-w /etc/sudoers.d/ -p wa",
                                 "-a always,exit -F arch=b64 -S open -F auid>=1000"};
    std::string line = of(random, kStarts);
    const int count = random.below(5);
    for (int i = 0; i < count; ++i) {
        line += (random.one_in(8) ? "  " : " ") + random_option(random);
    }
    return line;
}

struct Sent {
    std::vector<std::pair<int, AuditRule>> rules; ///< message type, rule
    std::map<std::uint32_t, std::uint32_t> flags; ///< AUDIT_STATUS_* -> value
};

/// What auditctl sent for each line: markers (`-r NUMBER`) stand between them.
std::vector<Sent> sent_by_line(const std::string& record)
{
    std::vector<Sent> out(1);
    std::string_view rest = record;
    while (rest.size() >= sizeof(nlmsghdr)) {
        nlmsghdr header = {};
        std::memcpy(&header, rest.data(), sizeof(header));
        EXPECT_LE(header.nlmsg_len, rest.size());
        const auto content = rest.substr(NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN);
        rest.remove_prefix(std::min<std::size_t>(header.nlmsg_len, rest.size()));
        if (header.nlmsg_type != AUDIT_SET) {
            const auto rule = decode_audit_rule(content);
            EXPECT_TRUE(rule) << rule.error().text;
            if (rule) {
                out.back().rules.emplace_back(header.nlmsg_type, *rule);
            }
            continue;
        }
        audit_status status = {};
        std::memcpy(&status, content.data(), std::min(content.size(), sizeof(status)));
        if (status.mask == AUDIT_STATUS_RATE_LIMIT) {
            out.emplace_back();
        } else {
            out.back().flags[status.mask] = status.mask == AUDIT_STATUS_ENABLED ? status.enabled : status.failure;
        }
    }
    return out;
}

std::string run_auditctl(const e2e::Folder& folder, const std::string& rules)
{
    folder.write("rules", rules);
    const std::string record = folder.path() + "/record";
    folder.write("record", "");
    const std::string preload = "LD_PRELOAD=" + std::string(HOSTWARD_RECORDER);
    (void)oracle::run(
        {"/usr/bin/env", preload, "HOSTWARD_RECORD=" + record, kAuditctl, "-R", folder.path() + "/rules"});
    std::ifstream file(record, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

AuditSurroundings this_machine()
{
    AuditSurroundings out;
    out.machine = *audit_machine(**host::open_host("/"));
    out.is_directory = [](const std::string& path) {
        struct stat status = {};
        return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
    };
    out.may_exist = [](const std::string& /*path*/) { return true; };
    out.uid_of = [](std::string_view name) { return name == "root" ? std::optional(0U) : std::nullopt; };
    out.gid_of = out.uid_of;
    return out;
}

void compare(const std::string& line, const Sent& sent, const AuditSurroundings& surroundings)
{
    const auto command = parse_audit_line(line, surroundings);
    const auto& ours = command.adds ? command.adds : command.deletes;
    if (!ours && !sent.rules.empty()) {
        // Refused by the kernel, which is not there, or wrongly so.
        EXPECT_NE(why_kernel_refuses(sent.rules[0].second), "") << line << "\nrefused: " << command.refused;
        return;
    }
    ASSERT_EQ(sent.rules.size(), ours ? 1U : 0U) << line << "\n" << (ours ? audit_rule_text(*ours) : command.refused);
    if (ours) {
        EXPECT_EQ(sent.rules[0].first, command.adds ? AUDIT_ADD_RULE : AUDIT_DEL_RULE) << line;
        EXPECT_TRUE(is_same_rule(*ours, sent.rules[0].second))
            << line << "\nours:   " << audit_rule_text(*ours) << "\ntheirs: " << audit_rule_text(sent.rules[0].second);
    }
    const auto flag = [&](std::uint32_t which) {
        const auto found = sent.flags.find(which);
        return found == sent.flags.end() ? std::nullopt : std::optional(found->second);
    };
    EXPECT_EQ(flag(AUDIT_STATUS_ENABLED), command.enabled) << line;
    EXPECT_EQ(flag(AUDIT_STATUS_FAILURE), command.failure) << line;
}

TEST(AuditRules, AgreeWithAuditctl)
{
    if (::geteuid() != 0 || ::access(kAuditctl, X_OK) != 0) {
        GTEST_SKIP() << "needs root and auditctl";
    }
    oracle::Random random;
    SCOPED_TRACE(random.text());
    const e2e::Folder folder;
    const auto surroundings = this_machine();
    std::size_t taken = 0;
    for (int done = 0; done < oracle::rounds(3000); done += kLinesOfAFile) {
        std::vector<std::string> lines;
        std::string text = "-i\n";
        for (std::size_t i = 0; i < std::size_t{kLinesOfAFile}; ++i) {
            lines.push_back(random_line(random));
            text += lines.back() + "\n-r " + std::to_string(i) + "\n";
        }
        const auto sent = sent_by_line(run_auditctl(folder, text));
        ASSERT_EQ(sent.size(), std::size_t{kLinesOfAFile} + 1) << "auditctl read every line";
        for (std::size_t i = 0; i < std::size_t{kLinesOfAFile}; ++i) {
            compare(lines[i], sent[i], surroundings);
            taken += sent[i].rules.size();
        }
        ASSERT_FALSE(HasFailure());
    }
    EXPECT_GT(taken, static_cast<std::size_t>(oracle::rounds(300))); // else nothing was compared
}

TEST(AuditRules, EverySystemCallThatAuditctlKnows)
{
    if (::access("/usr/bin/ausyscall", X_OK) != 0) {
        GTEST_SKIP() << "needs ausyscall";
    }
    const std::map<std::string, std::uint32_t> kMachines{
        {"x86_64", kArchX86_64}, {"i386", kArchI386}, {"aarch64", kArchAarch64}, {"arm", kArchArm}};
    for (const auto& [name, arch] : kMachines) {
        std::istringstream table(oracle::run({"/usr/bin/ausyscall", name, "--dump"}).out);
        std::string line;
        int count = 0;
        std::getline(table, line); // the heading
        while (std::getline(table, line)) {
            const auto parts = words(line);
            ASSERT_EQ(parts.size(), 2U) << line;
            const auto number = parse_number<std::uint32_t>(parts[0]).value_or(kAuditSyscallsMax);
            if (number < kAuditSyscallsMax) {
                EXPECT_EQ(syscall_number(arch, parts[1]), number) << name << " " << line;
                ++count;
            }
        }
        EXPECT_GT(count, 300) << name;
    }
}

std::string random_name(oracle::Random& random)
{
    constexpr std::array kParts{"1", "9", "10", "010", "a", "B", "-", "_", ".", "~", "rules", "x1", "99"};
    std::string name;
    for (int i = random.below(4) + 1; i > 0; --i) {
        name += of(random, kParts);
    }
    return name + (random.one_in(8) ? ".conf" : ".rules");
}

std::string random_text(oracle::Random& random)
{
    constexpr std::array kLines{"-D",    "-D ",   " -D",   "-D -k x",    "-b 1",   "-b 2",  " -b 3",
                                "-f 1",  "-f 2",  "-e 1",  "-e 2",       "  -e 2", "s-e 2", "# x",
                                "  # x", "\t# x", "-w /a", "-w /b -k b", "",       " ",     "-exit"};
    std::string text;
    for (int i = random.below(8); i > 0; --i) {
        text += of(random, kLines) + (i == 1 && random.one_in(6) ? "" : "\n");
    }
    return text;
}

bool awk_knows_blanks()
{
    return oracle::run({"/usr/bin/awk", "BEGIN { print match(\"  -e\", \"^\\\\s*-e\") }"}).out == "1\n";
}

TEST(Augenrules, AgreesWithTheProgram)
{
    if (::geteuid() != 0 || ::access(kAugenrules, X_OK) != 0) {
        GTEST_SKIP() << "needs root and augenrules";
    }
    const e2e::Folder folder;
    folder.write("rules.d/x", "");
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(::mount(folder.path().c_str(), "/etc/audit", nullptr, MS_BIND, nullptr), 0);
    oracle::Random random;
    SCOPED_TRACE(random.text());
    const bool knows_blank_class = awk_knows_blanks();
    for (int round = 0; round < oracle::rounds(300); ++round) {
        std::filesystem::remove_all("/etc/audit/rules.d");
        std::filesystem::create_directory("/etc/audit/rules.d");
        std::filesystem::remove("/etc/audit/audit.rules");
        std::map<std::string, std::string> texts;
        for (int i = random.below(7); i > 0; --i) {
            const std::string name = random_name(random);
            texts[name] = random_text(random);
            folder.write("rules.d/" + name, texts[name]);
        }
        (void)oracle::run({kAugenrules});
        std::vector<std::string> names;
        std::ranges::transform(texts, std::back_inserter(names), [](const auto& one) { return one.first; });
        std::vector<AuditFile> files;
        for (const auto& name : augenrules_order(names)) {
            files.push_back({name, texts[name]});
        }
        std::string ours;
        for (const auto& line : augenrules_lines(files, knows_blank_class)) {
            ours += line.text + "\n";
        }
        std::ifstream made("/etc/audit/audit.rules");
        std::string theirs;
        std::string line;
        std::getline(made, line); // the heading
        while (std::getline(made, line)) {
            theirs += line.empty() ? "" : line + "\n"; // it leaves lines empty for options that no file has
        }
        std::string shown;
        for (const auto& file : files) {
            shown += "--- " + file.path + "\n" + file.text;
        }
        ASSERT_EQ(ours, theirs) << shown;
    }
}

} // namespace
} // namespace hostward::hardening
