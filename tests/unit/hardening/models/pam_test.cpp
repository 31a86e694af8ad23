// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/pam.h"

#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> modules(const std::vector<PamEntry>& stack)
{
    std::vector<std::string> names;
    for (const auto& entry : stack) {
        names.push_back(entry.module);
    }
    return names;
}

TEST(Pam, LinesOfAllForms)
{
    const auto file =
        parse_pam("# c\n-auth [success=1  default=ignore] pam_a.so x=[y z] \\\n  q # c\nAUTH Required /l/pam_b.so\n"
                  "auth required\nwrong required pam_x.so\n@include other\n",
                  "f");
    ASSERT_EQ(file.lines.size(), 3U);
    const auto& first = file.lines[0].entry;
    EXPECT_EQ(first.control, "[success=1 default=ignore]");
    EXPECT_EQ(first.module, "pam_a");
    EXPECT_TRUE(first.may_be_missing);
    EXPECT_EQ(first.arguments.back(), "q");
    EXPECT_EQ(file.lines[1].entry.control, "required");
    EXPECT_EQ(file.lines[1].entry.module, "pam_b");
    EXPECT_EQ(file.lines[2].kind, PamLine::Kind::IncludeAll);
    EXPECT_EQ(file.malformed.size(), 2U);
}

TEST(Pam, StacksWithIncludesInPlace)
{
    host::MemoryHost host;
    host.file("/etc/pam.d/a", "auth required pam_1.so\nauth substack b\n@include c\nauth required pam_4.so\n")
        .file("/etc/pam.d/b", "auth required pam_2.so\naccount required pam_no.so\n")
        .file("/usr/lib/pam.d/c", "auth required pam_3.so\n")
        .file("/usr/lib/pam.d/b", "auth required pam_hidden.so\n")
        .file("/etc/pam.d/loop", "auth include loop\n");
    Facts facts(host, 0);
    const auto& services = facts.get<PamServices>().value();
    const auto stack = services.stack("a", "auth");
    ASSERT_TRUE(stack.ok());
    EXPECT_THAT(modules(*stack), ElementsAre("pam_1", "pam_2", "pam_3", "pam_4"));
    EXPECT_EQ((*stack)[1].depth, 1);
    EXPECT_EQ(services.stack("loop", "auth").error().kind, ErrorKind::Exhausted);
    EXPECT_EQ(services.stack("none", "auth").error().kind, ErrorKind::NotFound);
}

TEST(Pam, SettingsOfModules)
{
    host::MemoryHost host;
    host.file("/etc/security/pwquality.conf.d/50-x.conf", "minlen = 20\nminclass=3\n")
        .file("/etc/security/pwquality.conf", "# minlen = 8\n minlen = 14 \nenforce_for_root\n");
    Facts facts(host, 0);
    const auto settings = read_pam_settings(facts, "pam_pwquality", "").value();
    EXPECT_EQ(settings.values.at("minlen").first, "14") << "the file is read after the folder";
    EXPECT_EQ(settings.values.at("minclass").second.text(), "/etc/security/pwquality.conf.d/50-x.conf:2");
    EXPECT_EQ(settings.values.at("enforce_for_root").first, "");
    EXPECT_TRUE(read_pam_settings(facts, "pam_faillock", "").value().values.empty());
}

/// Debian 12's pam_pwhistory (1.5.2) has no file, RHEL 9's (1.5.1 with later patches) has one.
TEST(Pam, AModuleThatDoesNotReadItsFileHasNoSettings)
{
    host::MemoryHost host;
    host.file("/etc/security/pwhistory.conf", "remember = 24\n");
    const auto settings = [&host] {
        Facts facts(host, 0);
        return read_pam_settings(facts, "pam_pwhistory", "");
    };
    EXPECT_FALSE(settings().ok()) << "without the module nobody can tell";
    host.file("/usr/lib/x86_64-linux-gnu/security/pam_pwhistory.so", std::string("\x7f"
                                                                                 "ELF remember=",
                                                                                 14));
    EXPECT_TRUE(settings().value().values.empty());
    host.file("/usr/lib/x86_64-linux-gnu/security/pam_pwhistory.so", "ELF /etc/security/pwhistory.conf remember=");
    EXPECT_EQ(settings().value().values.at("remember").first, "24");
}

} // namespace
} // namespace hostward::hardening
