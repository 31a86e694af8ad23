// SPDX-License-Identifier: Apache-2.0
// What start files make of TMOUT, umask and PATH, and where text does not say. tests/e2e/models/shell_test.cpp compares
// random ones with bash.
#include "hardening/models/shell_session.h"
#include "hardening/models/shell_syntax.h"
#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using Value = ShellVariable::Value;

std::vector<ShellOutcome> ways(const host::MemoryHost& host, ShellKind kind = ShellKind::Login,
                               const ShellUser& user = {1000, "", "", ""})
{
    const auto outcomes = shell_outcomes(host, kind, user, {{"/usr/bin:/bin", "", 022, "start"}});
    EXPECT_TRUE(outcomes.ok()) << outcomes.error().text;
    return outcomes ? *outcomes : std::vector<ShellOutcome>{};
}

/// `900 xr`, `-`: unset, `?`: unknown; ways apart by `|`.
std::string tmout(const std::string& profile)
{
    host::MemoryHost host;
    host.file("/etc/profile", profile);
    std::string out;
    for (const auto& way : ways(host)) {
        const auto& one = way.tmout;
        out += out.empty() ? "" : "|";
        out += one.value == Value::Set ? one.text : one.value == Value::Unset ? "-" : "?";
        out += one.is_exported || one.is_read_only ? " " : "";
        out += one.is_exported ? "x" : "";
        out += one.is_read_only ? "r" : "";
    }
    return out;
}

std::string umask(const std::string& profile)
{
    host::MemoryHost host;
    host.file("/etc/profile", profile);
    std::string out;
    for (const auto& way : ways(host)) {
        out += out.empty() ? "" : "|";
        out += way.umask
                   ? std::to_string((*way.umask >> 6U & 7U) * 100 + (*way.umask >> 3U & 7U) * 10 + (*way.umask & 7U))
                   : "?";
    }
    return out;
}

TEST(ShellSession, HowTmoutIsWritten)
{
    EXPECT_EQ(tmout(""), "-");
    EXPECT_EQ(tmout("# TMOUT=900\n"), "-");
    EXPECT_EQ(tmout("TMOUT=900\n"), "900");
    EXPECT_EQ(tmout("readonly TMOUT=900 ; export TMOUT\n"), "900 xr");
    EXPECT_EQ(tmout("typeset -xr TMOUT=900"), "900 xr");
    EXPECT_EQ(tmout("declare -r -x TMOUT='600'\n"), "600 xr");
    EXPECT_EQ(tmout("TMOUT=900\nreadonly TMOUT\nexport TMOUT\n"), "900 xr");
    EXPECT_EQ(tmout("[ -z \"$TMOUT\" ] && readonly TMOUT=900\n"), "900 r");
    EXPECT_EQ(tmout("if [ -z \"${TMOUT}\" ]; then\n  TMOUT=900\nelse\n  TMOUT=1\nfi\n"), "900");
    EXPECT_EQ(tmout(": ${TMOUT:=800}\n"), "800");
    EXPECT_EQ(tmout("export TMOUT=900\nexport -n TMOUT\n"), "900");
    EXPECT_EQ(tmout("TMOUT=900 /bin/true\n(TMOUT=1)\nTMOUT=2 | cat\n"), "-");
    EXPECT_EQ(tmout("cat <<END\nTMOUT=900\nEND\n"), "-");
    EXPECT_EQ(tmout("echo 'TMOUT=900'\n"), "-");
    EXPECT_EQ(tmout("f() { local TMOUT=5; }\nf\n"), "-");
    EXPECT_EQ(tmout("f() { TMOUT=5; }\nf\n"), "5");
    EXPECT_EQ(tmout("TMOUT=900\nunset TMOUT\n"), "-");
    EXPECT_EQ(tmout("set -a\nTMOUT=900\n"), "900 x");
    EXPECT_EQ(tmout("break\nTMOUT=900\n"), "900");
}

TEST(ShellSession, ReadOnlyStays)
{
    EXPECT_EQ(tmout("readonly TMOUT=900\nTMOUT=0\n"), "900 r");
    EXPECT_EQ(tmout("readonly TMOUT=900\nunset TMOUT\nexport TMOUT=0\n"), "900 xr");
    EXPECT_EQ(umask("readonly TMOUT=900\nTMOUT=0; umask 077\numask 027\n"), "27"); // the rest of the line is lost
    EXPECT_EQ(tmout("readonly TMOUT=900\neval \"$(anything)\"\n"), "900 r");
}

TEST(ShellSession, WhatTextDoesNotDecide)
{
    EXPECT_EQ(tmout("if [ \"$WHATEVER\" = 1 ]; then TMOUT=900; fi\n"), "-|900");
    EXPECT_EQ(tmout("grep -q x /etc/y && TMOUT=900\n"), "-|900");
    EXPECT_EQ(tmout("TMOUT=$(cat /etc/timeout)\n"), "?");
    EXPECT_EQ(tmout("eval \"$(anything)\"\n"), "?");
    EXPECT_EQ(tmout(". \"$DIR/file\"\n"), "?");
    EXPECT_EQ(tmout("TMOUT=900\nif then\n"), "?");                          // what bash makes of a broken file
    EXPECT_EQ(tmout("eval `/usr/bin/dircolors --sh`\nTMOUT=900\n"), "900"); // its output is known to be harmless
    EXPECT_EQ(tmout("if [ \"$WHATEVER\" ]; then TMOUT=900; else TMOUT=900; fi\n"), "900");
}

TEST(ShellSession, DoubtsNameTheLine)
{
    host::MemoryHost host;
    host.file("/etc/profile", "a=1\nif [ \"$WHATEVER\" ]; then\n  umask 077\nfi\n");
    const auto all = ways(host);
    ASSERT_EQ(all.size(), 2U);
    EXPECT_THAT(all[0].doubts, testing::ElementsAre("/etc/profile:2"));
}

TEST(ShellSession, Umasks)
{
    EXPECT_EQ(umask(""), "22");
    EXPECT_EQ(umask("umask 027\n"), "27");
    EXPECT_EQ(umask("umask 027\numask 0022\n"), "22"); // the last one
    EXPECT_EQ(umask("umask u=rwx,g=rx,o=\n"), "27");
    EXPECT_EQ(umask("umask 999\n"), "22");
    EXPECT_EQ(umask("umask $MASK\n"), "?");
    EXPECT_EQ(umask("if [ $UID -gt 199 ]; then\n  umask 027\nelse\n  umask 022\nfi\n"), "27");
    EXPECT_EQ(umask("if [ $UID -gt 199 ] && [ \"`/usr/bin/id -gn`\" = \"`/usr/bin/id -un`\" ]; then\n"
                    "    umask 002\nelse\n    umask 022\nfi\n"),
              "22|2");
    EXPECT_EQ(umask("[ `umask` -eq 0022 ] && umask 077\n"), "77");
}

TEST(ShellSession, UmaskSymbols)
{
    EXPECT_EQ(umask_of("g-w,o-rwx", 0), 0027U);
    EXPECT_EQ(umask_of("a=rx", 077), 0222U);
    EXPECT_EQ(umask_of("7", 0), 07U);
    for (const auto* bad : {"", "8", "0x7", "u", "u=q", "7777", ",", "u=rwx,,"}) {
        EXPECT_FALSE(umask_of(bad, 0)) << bad;
    }
}

constexpr auto kLoop =
    "for i in /etc/profile.d/*.sh; do\n  if [ -r \"$i\" ]; then\n    . \"$i\" >/dev/null\n  fi\ndone\n";

TEST(ShellSession, FilesInOrderAndWhatEndsThem)
{
    host::MemoryHost host;
    host.file("/etc/profile", kLoop);
    host.file("/etc/profile.d/a.sh", "umask 077\ncase $- in *i*) ;; *) return ;; esac\nreturn\numask 0\n");
    host.file("/etc/profile.d/b.sh", "[ \"$PS1\" ] && umask 027\n").file("/etc/profile.d/c.txt", "umask 0\n");
    EXPECT_EQ(ways(host)[0].umask, 0027U);
    host.file("/etc/profile.d/c.sh", "umask 022\n", 0600); // not readable: not read
    EXPECT_EQ(ways(host)[0].umask, 0027U);
    host.file("/etc/profile.d/c.sh", "exit 1\n");
    EXPECT_TRUE(ways(host).empty());
    host.file("/etc/profile.d/c.sh", ". /etc/profile\n"); // reads itself
    EXPECT_FALSE(ways(host)[0].umask);
}

TEST(ShellSession, AFurtherShellReadsBashrc)
{
    host::MemoryHost host;
    host.file("/etc/profile", "readonly TMOUT=900\nexport TMOUT\numask 027\n");
    const auto same = ways(host, ShellKind::Interactive);
    ASSERT_EQ(same.size(), 1U);
    EXPECT_EQ(same[0].tmout.text, "900");
    EXPECT_FALSE(same[0].tmout.is_read_only);
    host.file("/etc/bash.bashrc", "TMOUT=0\numask 022\n");
    EXPECT_EQ(ways(host, ShellKind::Interactive)[0].tmout.text, "0");
    EXPECT_EQ(ways(host, ShellKind::Interactive)[0].umask, 0022U);
    EXPECT_EQ(ways(host)[0].umask, 0027U);
}

TEST(ShellSession, RootsOwnFiles)
{
    const ShellUser root{0, "root", "root", "/root"};
    host::MemoryHost host;
    host.file("/root/.profile", "if [ \"$BASH\" ]; then\n  if [ -f ~/.bashrc ]; then\n    . ~/.bashrc\n  fi\nfi\n");
    host.file("/root/.bashrc", "umask 077\nexport PATH=~/bin:$PATH\n");
    EXPECT_EQ(ways(host, ShellKind::Login, root)[0].umask, 0077U);
    EXPECT_EQ(ways(host, ShellKind::Login, root)[0].path.text, "/root/bin:/usr/bin:/bin");
    host.file("/root/.bash_profile", "umask 0\n"); // then .profile is not read
    EXPECT_EQ(ways(host, ShellKind::Login, root)[0].umask, 0U);
}

TEST(ShellSession, RedHatsPathmunge)
{
    host::MemoryHost host;
    host.file("/etc/profile", R"(pathmunge () {
    case ":${PATH}:" in
        *:"$1":*)
            ;;
        *)
            if [ "$2" = "after" ] ; then
                PATH=$PATH:$1
            else
                PATH=$1:$PATH
            fi
    esac
}
if [ "$EUID" = "0" ]; then
    pathmunge /usr/sbin
else
    pathmunge /usr/sbin after
    pathmunge /bin after
fi
HOSTNAME=$(/usr/bin/hostnamectl --transient 2>/dev/null) || \
HOSTNAME=$(/usr/bin/uname -n)
unset -f pathmunge
)");
    const auto all = ways(host);
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].path.text, "/usr/bin:/bin:/usr/sbin");
}

TEST(ShellSession, PamAndLoginDefsAreTheStart)
{
    const auto start = [](const host::MemoryHost& host) {
        Facts facts(host, 0);
        const auto all = shell_starts(facts, {1000, "", "", ""});
        EXPECT_TRUE(all.ok());
        return all ? *all : std::vector<ShellStart>{};
    };
    host::MemoryHost host;
    host.file("/etc/login.defs", "UMASK 027\nENV_PATH PATH=/bin\n")
        .file("/etc/pam.d/login", "session optional pam_unix.so\n");
    EXPECT_EQ(start(host)[0].umask, 0022U); // nothing reads UMASK
    host.file("/etc/pam.d/login", "session optional pam_umask.so\n");
    EXPECT_EQ(start(host)[0].umask, 0027U);
    EXPECT_EQ(start(host)[0].path, "/bin");
    host.file("/etc/pam.d/login", "session optional pam_umask.so usergroups\n");
    EXPECT_EQ(start(host)[0].umask, 0007U);
    host.file("/etc/pam.d/login", "session optional pam_umask.so umask=0077\nsession required pam_env.so\n");
    host.file("/etc/environment", "PATH=\"/opt/bin:/bin\"\n").file("/etc/pam.d/sshd", "session required pam_unix.so\n");
    EXPECT_EQ(start(host).size(), 2U);
    EXPECT_EQ(start(host)[1].umask, 0077U);
    EXPECT_EQ(start(host)[1].path, "/opt/bin:/bin");
}

TEST(ShellSyntax, HostileText)
{
    for (const std::string piece :
         {"(", "$(", "`", "{ ", "if x; then ", "\"", "'", "${x-", "case x in ", "<<E\n", "f() ", "! "}) {
        std::string text;
        for (int i = 0; i < 5'000; ++i) {
            text += piece;
        }
        (void)parse_shell(text);
    }
    EXPECT_FALSE(parse_shell("if x\n"));
    EXPECT_FALSE(parse_shell("a ;; b\n"));
    EXPECT_FALSE(parse_shell("then\n"));
    EXPECT_TRUE(parse_shell(std::string("a\0b \\", 5)));
    EXPECT_TRUE(parse_shell("a\\"));
}

TEST(ShellSession, EndlessFunctionsAndLoopsEnd)
{
    EXPECT_EQ(tmout("f() { f; f; }\nf\n"), "?");
    EXPECT_EQ(tmout("while true; do TMOUT=$TMOUT$TMOUT; done\n"), "?");
    host::MemoryHost host;
    std::string text;
    for (int i = 0; i < 12; ++i) {
        text += "[ \"$A" + std::to_string(i) + "\" ] && PATH=$PATH:/" + std::to_string(i) + "\n";
    }
    host.file("/etc/profile", text);
    EXPECT_FALSE(
        shell_outcomes(host, ShellKind::Login, {}, {{"/bin", "", 022, ""}}).ok()); // too many ways, and said so
}

} // namespace
} // namespace hostward::hardening
