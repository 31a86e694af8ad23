// SPDX-License-Identifier: Apache-2.0
// Shells' beginnings, dnf's safeguards, and what is collected for people.
#include "tests/unit/hardening/primitives/ask.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

host::MemoryHost with_accounts()
{
    host::MemoryHost host;
    host.file("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n").file("/etc/login.defs", "");
    host.directory("/etc/pam.d").directory("/usr/bin").directory("/bin").directory("/sbin").directory("/usr/sbin");
    return host;
}

std::string timeout(const std::string& profile)
{
    auto host = with_accounts();
    host.file("/etc/profile", profile);
    return ask(kShellTimeoutPrimitive, host, {{"at_most", number(900)}});
}

TEST(ShellTimeoutPrimitive, SetReadOnlyAndExported)
{
    EXPECT_EQ(timeout(""), "fail");
    EXPECT_EQ(timeout("readonly TMOUT=900 ; export TMOUT\n"), "pass");
    EXPECT_EQ(timeout("typeset -xr TMOUT=1\n"), "pass");
    EXPECT_EQ(timeout("TMOUT=900\nexport TMOUT\n"), "fail");
    EXPECT_EQ(timeout("readonly TMOUT=900\n"), "fail");
    EXPECT_EQ(timeout("typeset -xr TMOUT=0\n"), "fail");
    EXPECT_EQ(timeout("typeset -xr TMOUT=901\n"), "fail");
    EXPECT_EQ(timeout("typeset -xr TMOUT=soon\n"), "fail");
    EXPECT_EQ(timeout("readonly TMOUT=0\ntypeset -xr TMOUT=900\n"), "fail"); // too late
    EXPECT_EQ(timeout("if [ \"$SSH_TTY\" ]; then typeset -xr TMOUT=900; fi\n"), "cannot-tell");
    EXPECT_EQ(timeout("if [ \"$SSH_TTY\" ]; then typeset -xr TMOUT=0; fi\n"), "fail"); // either way
    EXPECT_EQ(timeout("[ $UID -eq 0 ] || typeset -xr TMOUT=900\n"), "fail");           // not for root
    EXPECT_EQ(timeout("readonly TMOUT=900\neval \"$(x)\"\n"), "cannot-tell");
}

TEST(ShellTimeoutPrimitive, AFurtherShellMayLoseIt)
{
    auto host = with_accounts();
    host.file("/etc/profile", "typeset -xr TMOUT=900\n").file("/etc/bash.bashrc", "unset TMOUT\n");
    EXPECT_EQ(ask(kShellTimeoutPrimitive, host, {{"at_most", number(900)}}), "fail");
    host.broken("/etc/bash.bashrc", Error{ErrorKind::Denied, 13, "denied"});
    EXPECT_EQ(ask(kShellTimeoutPrimitive, host, {{"at_most", number(900)}}), "cannot-tell");
}

std::string umask(const host::MemoryHost& host, const std::string& who = "users")
{
    return ask(kShellUmaskPrimitive, host, {{"umask", text("0027")}, {"who", text(who)}});
}

TEST(ShellUmaskPrimitive, TheLastOneCountsWhereverItIs)
{
    auto host = with_accounts();
    EXPECT_EQ(umask(host), "fail");
    host.file("/etc/profile", "umask 027\n");
    EXPECT_EQ(umask(host), "pass");
    host.file("/etc/bash.bashrc", "umask 022\n"); // of the further shell
    EXPECT_EQ(umask(host), "fail");
    host.file("/etc/bash.bashrc", "");
    host.file("/etc/profile", "if [ \"$A\" ]; then umask 077; else umask 027; fi\n");
    EXPECT_EQ(umask(host), "pass"); // either way
    host.file("/etc/profile", "if [ \"$A\" ]; then umask 022; else umask 027; fi\n");
    EXPECT_EQ(umask(host), "cannot-tell");
    host.file("/root/.bash_profile", "umask 077\n").file("/root/.bashrc", "umask 077\n");
    EXPECT_EQ(umask(host, "root"), "pass");
}

TEST(ShellUmaskPrimitive, PamAlone)
{
    auto host = with_accounts();
    host.file("/etc/login.defs", "UMASK 027\n").file("/etc/pam.d/sshd", "session optional pam_umask.so\n");
    EXPECT_EQ(umask(host), "pass");
    host.file("/etc/pam.d/sshd", "session optional pam_umask.so usergroups\n");
    EXPECT_EQ(umask(host), "fail"); // 007 for whoever has a group of their own
}

std::string root_path(const host::MemoryHost& host) { return ask(kRootPathPrimitive, host, {}); }

TEST(RootPathPrimitive, EveryFolder)
{
    auto host = with_accounts();
    EXPECT_EQ(root_path(host), "pass");
    const auto with = [&](const std::string& path) {
        host.file("/etc/profile", "PATH=" + path + "\n");
        return root_path(host);
    };
    EXPECT_EQ(with("/usr/bin:/bin"), "pass");
    EXPECT_EQ(with("/usr/bin:"), "fail");
    EXPECT_EQ(with(":/usr/bin"), "fail");
    EXPECT_EQ(with("/usr/bin::/bin"), "fail");
    EXPECT_EQ(with("/usr/bin:."), "fail");
    EXPECT_EQ(with("/usr/bin:opt/bin"), "fail");
    EXPECT_EQ(with("/usr/bin:/opt/bin"), "fail"); // not there
    host.directory("/opt/bin", 0775);
    EXPECT_EQ(with("/usr/bin:/opt/bin"), "fail");
    host.directory("/opt/bin", 0755, 1000);
    EXPECT_EQ(with("/usr/bin:/opt/bin"), "fail");
    host.directory("/opt/bin");
    EXPECT_EQ(with("/usr/bin:/opt/bin"), "pass");
    EXPECT_EQ(with("$(cat /etc/path)"), "cannot-tell");
    host.broken("/opt/bin", Error{ErrorKind::Denied, 13, "denied"});
    EXPECT_EQ(with("/usr/bin:/opt/bin"), "error");
}

std::string gpgcheck(const std::string& conf, const std::string& repo)
{
    host::MemoryHost host;
    host.file("/etc/dnf/dnf.conf", conf).file("/etc/yum.repos.d/a.repo", repo);
    return ask(kDnfPrimitive, host, {{"key", text("gpgcheck")}});
}

TEST(DnfPrimitive, MainAndEveryRepository)
{
    EXPECT_EQ(gpgcheck("[main]\ngpgcheck=1\n", "[a]\nname=a\n"), "pass");
    EXPECT_EQ(gpgcheck("[main]\ngpgcheck = True\n", "[a]\ngpgcheck=yes\n"), "pass");
    EXPECT_EQ(gpgcheck("[main]\n", "[a]\ngpgcheck=1\n"), "fail");
    EXPECT_EQ(gpgcheck("", ""), "fail");
    EXPECT_EQ(gpgcheck("[main]\n#gpgcheck=1\n", ""), "fail");
    EXPECT_EQ(gpgcheck("[other]\ngpgcheck=1\n", ""), "fail");
    EXPECT_EQ(gpgcheck("[main]\ngpgcheck=1\ngpgcheck=0\n", ""), "fail");
    EXPECT_EQ(gpgcheck("[main]\ngpgcheck=1\n", "[a]\ngpgcheck=0\n"), "fail");
    EXPECT_EQ(gpgcheck("[main]\ngpgcheck=1\n", "[a]\nenabled=0\ngpgcheck=0\n"), "fail");
    EXPECT_EQ(gpgcheck("[main]\ngpgcheck=1\n", "[a]\nname=x\n gpgcheck=0\n"), "pass"); // goes on with the name
    EXPECT_EQ(gpgcheck("[main]\ngpgcheck=1\n", "[a]\n; gpgcheck=0\n"), "pass");
    EXPECT_EQ(gpgcheck("[main]\ngpgcheck=1\n", "[a]\ngpgcheck=maybe\n"), "fail");
    EXPECT_EQ(gpgcheck("[main\ngpgcheck=1\n=\n]\n", "gpgcheck=0\n"), "error");
}

TEST(DnfPrimitive, OtherFoldersAndNoDnf)
{
    host::MemoryHost host;
    EXPECT_EQ(ask(kDnfPrimitive, host, {{"key", text("gpgcheck")}}), "not-applicable");
    host.file("/etc/yum.conf", "[main]\ngpgcheck=1\nreposdir=/srv/repos, /srv/more\n");
    host.file("/srv/more/b.repo", "[b]\ngpgcheck=0\n").file("/etc/yum.repos.d/a.repo", "[a]\ngpgcheck=1\n");
    EXPECT_EQ(ask(kDnfPrimitive, host, {{"key", text("gpgcheck")}}), "fail");
    host.broken("/srv/more", Error{ErrorKind::Denied, 13, "denied"});
    EXPECT_EQ(ask(kDnfPrimitive, host, {{"key", text("gpgcheck")}}), "error");
}

TEST(ReviewPrimitives, CollectAndNeverDecide)
{
    host::MemoryHost host;
    host.file("/etc/apt/sources.list", "# deb old\ndeb https://"
                                       "me:secret@deb.example/x y z\n");
    Facts facts(host, 0);
    const Arguments lines({{"path", list({"/etc/apt/sources.list", "/etc/none/*"})},
                           {"pattern", text("^deb")},
                           {"question", text("who")}});
    const auto outcome = kReviewFilesPrimitive.evaluate(lines, facts);
    ASSERT_TRUE(outcome.ok());
    EXPECT_EQ(outcome->verdict, Verdict::Manual);
    ASSERT_EQ(outcome->evidence.size(), 1U);
    EXPECT_EQ(outcome->evidence[0].found, "deb https://***@deb.example/x y z");
    EXPECT_EQ(outcome->evidence[0].where, "/etc/apt/sources.list:2");
    EXPECT_EQ(ask(kReviewFilesPrimitive, host, {{"path", list({"/none"})}, {"question", text("who")}}), "manual");
    EXPECT_EQ(ask(kReviewSetIdPrimitive, host, {{"question", text("why")}}), "manual"); // a fake cannot be swept
}

} // namespace
} // namespace hostward::hardening
