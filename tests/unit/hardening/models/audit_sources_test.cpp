// SPDX-License-Identifier: Apache-2.0
// Where audit's rules and settings come from: the kernel, units and files.
#include "hardening/models/audit_config.h"
#include "hardening/models/audit_kernel.h"
#include "hardening/models/auditd_conf.h"
#include "tests/unit/hardening/models/audit_support.h"
#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string message_of(const AuditRule& rule)
{
    audit_rule_data head = {};
    head.flags = rule.list;
    head.action = rule.action;
    for (std::size_t i = 0; i < rule.syscalls.size(); ++i) {
        head.mask[i / 32] |= rule.syscalls.test(i) ? 1U << (i % 32) : 0U;
    }
    std::string text;
    for (const auto& field : rule.fields) {
        head.fields[head.field_count] = field.field;
        head.fieldflags[head.field_count] = field.op;
        head.values[head.field_count] =
            field.text.empty() ? field.value : static_cast<std::uint32_t>(field.text.size());
        text += field.text;
        ++head.field_count;
    }
    head.buflen = static_cast<std::uint32_t>(text.size());
    return std::string(reinterpret_cast<const char*>(&head), sizeof(head)) + text;
}

TEST(AuditKernel, RulesComeBackAsTheyWent)
{
    const auto state = load("-w /etc/x -p wa -k a\n-a always,exit -F arch=b64 -S open -F auid>=1000 -F auid!=-1\n");
    for (const auto& rule : state.rules) {
        const auto decoded = decode_audit_rule(message_of(rule));
        ASSERT_TRUE(decoded) << decoded.error().text;
        EXPECT_TRUE(is_same_rule(*decoded, rule)) << audit_rule_text(*decoded);
    }
}

TEST(AuditKernel, WhatTheKernelMakesOfUnset)
{
    AuditRule rule;
    rule.list = AUDIT_FILTER_EXIT;
    rule.fields = {{AUDIT_LOGINUID_SET, AUDIT_EQUAL, 1, ""},
                   {AUDIT_LOGINUID_SET, AUDIT_NOT_EQUAL, 1, ""},
                   {AUDIT_LOGINUID_SET, AUDIT_EQUAL, 0, ""}};
    EXPECT_EQ(audit_rule_text(*decode_audit_rule(message_of(rule))),
              "-a never,exit -S (0 system calls) -F auid!=unset -F auid=unset -F auid=unset");
}

TEST(AuditKernel, BadMessagesAreErrors)
{
    const auto good = message_of(load("-w /etc/x -p wa -k a\n").rules.front());
    EXPECT_FALSE(decode_audit_rule(""));
    EXPECT_FALSE(decode_audit_rule(good.substr(0, 100)));
    EXPECT_FALSE(decode_audit_rule(good.substr(0, good.size() - 1))) << "less text than it says";
    std::string many = good;
    many[2 * sizeof(std::uint32_t)] = 65;
    EXPECT_FALSE(decode_audit_rule(many));
    EXPECT_FALSE(decode_audit_status("x"));
}

TEST(AuditdConf, Lines)
{
    const auto conf = parse_auditd_conf("# x\nMax_Log_File = 8\nmax_log_file = 9\n\n ##name = x\nname_format=NONE\n"
                                        "space_left_action = exec /bin/x\na\t=\tb\nx = a b c\n",
                                        "f");
    ASSERT_NE(conf.find("max_log_file"), nullptr);
    EXPECT_EQ(conf.find("max_log_file")->value, "9") << "the last one";
    EXPECT_EQ(conf.find("space_left_action")->value, "exec");
    EXPECT_EQ(conf.find("name"), nullptr);
    std::vector<std::uint32_t> bad;
    for (const auto& origin : conf.malformed) {
        bad.push_back(origin.line);
    }
    EXPECT_THAT(bad, ElementsAre(6U, 8U, 9U)) << "no blanks around the sign, tabs, too many words";
}

host::MemoryHost with_unit(const std::string& command)
{
    host::MemoryHost host;
    host.file("/usr/lib/systemd/system/auditd.service", "[Service]\nExecStart=/sbin/auditd\n" + command);
    host.directory("/etc").file("/etc/audit/audit.rules", "-w /etc/a -k file\n");
    host.file("/etc/audit/rules.d/a.rules", "-w /etc/b -k folder\n");
    return host;
}

std::vector<std::string> at_boot(const host::MemoryHost& host)
{
    Facts facts(host, 0);
    const auto& config = facts.get<AuditConfig>();
    EXPECT_TRUE(config) << config.error().text;
    return config ? keys(config->state) : std::vector<std::string>{"error"};
}

TEST(AuditConfig, WhatTheUnitLoads)
{
    EXPECT_THAT(at_boot(with_unit("ExecStartPost=-/sbin/augenrules --load\n")), ElementsAre("folder"));
    EXPECT_THAT(at_boot(with_unit("ExecStartPost=-/sbin/auditctl -R /etc/audit/audit.rules\n")), ElementsAre("file"));
    EXPECT_THAT(at_boot(with_unit("")), IsEmpty());
    EXPECT_THAT(at_boot(with_unit("#ExecStartPost=-/sbin/augenrules --load\n")), IsEmpty());
    auto drop_in = with_unit("ExecStartPost=-/sbin/augenrules --load\n");
    drop_in.file("/etc/systemd/system/auditd.service.d/x.conf",
                 "[Service]\nExecStartPost=\nExecStartPost=/sbin/auditctl -R /etc/audit/audit.rules\n");
    EXPECT_THAT(at_boot(drop_in), ElementsAre("file"));
    auto newer = with_unit("");
    newer.file("/usr/lib/systemd/system/audit-rules.service", "[Service]\nExecStart=/usr/sbin/augenrules --load\n");
    EXPECT_THAT(at_boot(newer), ElementsAre("folder")) << "audit 4 has a unit of its own for this";
    EXPECT_THAT(at_boot(host::MemoryHost()), IsEmpty());
}

TEST(AuditConfig, TheMachineOfAnImage)
{
    auto image = with_unit("ExecStartPost=-/sbin/augenrules --load\n");
    image.image().file("/bin/sh", "#!/bin/x\n");
    Facts without(image, 0);
    EXPECT_FALSE(without.get<AuditConfig>()) << "nothing says for which machine it is";
    std::string elf("\x7f"
                    "ELF\x02\x01\x01",
                    7);
    elf.resize(64);
    elf[18] = static_cast<char>(0xb7);
    image.file("/bin/sh", elf).file("/etc/audit/rules.d/a.rules", "-a always,exit -F arch=b64 -S open -k x\n");
    EXPECT_THAT(at_boot(image), IsEmpty()) << "arm64 has no open";
}

} // namespace
} // namespace hostward::hardening
