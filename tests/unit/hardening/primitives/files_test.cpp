// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"
#include "tests/unit/hardening/support/memory_host.h"
#include "tests/unit/host/temp_tree.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using host::MemoryHost;
using ::testing::StartsWith;
using Values = std::map<std::string, Value, std::less<>>;
using Names = std::vector<std::string>;

std::string ask(const Primitive& primitive, const host::Host& host, Values values)
{
    Facts facts(host, 0);
    const auto outcome = primitive.evaluate(Arguments(std::move(values)), facts);
    if (!outcome) {
        return "error: " + outcome.error().text;
    }
    EXPECT_TRUE(outcome->verdict == Verdict::CannotTell || !outcome->evidence.empty()) << "a verdict needs evidence";
    return verdict_name(outcome->verdict);
}

Values shadow(const std::string& mode = "0640")
{
    return {{"path", Names{"/etc/shadow"}},
            {"mode_max", mode},
            {"owner", Names{"root"}},
            {"group", Names{"root", "shadow"}}};
}

std::string access(std::uint32_t mode, std::uint32_t uid, std::uint32_t gid)
{
    MemoryHost host;
    host.file("/etc/shadow", "", mode, uid, gid);
    host.file("/etc/passwd", "root:x:0:0::/:/bin/sh\n").file("/etc/group", "root:x:0:\nshadow:x:42:\n");
    return ask(kFileAccessPrimitive, host, shadow());
}

TEST(FileAccess, NoBitsBeyond)
{
    EXPECT_EQ(access(0640, 0, 42), "pass");
    EXPECT_EQ(access(0600, 0, 0), "pass");
    EXPECT_EQ(access(0000, 0, 0), "pass");
    EXPECT_EQ(access(0440, 0, 0), "pass");
    EXPECT_EQ(access(0604, 0, 0), "fail"); // a smaller number, a bit too many
    EXPECT_EQ(access(0650, 0, 0), "fail");
    EXPECT_EQ(access(04640, 0, 0), "fail");
    EXPECT_EQ(access(0640, 1, 42), "fail");
    EXPECT_EQ(access(0640, 0, 43), "fail");
}

TEST(FileAccess, AGroupThatDoesNotExistIsNobodys)
{
    MemoryHost host;
    host.file("/etc/shadow", "", 0640, 0, 42).file("/etc/group", "root:x:0:\n").file("/etc/passwd", "");
    EXPECT_EQ(ask(kFileAccessPrimitive, host, shadow()), "fail");
}

TEST(FileAccess, MissingAndUnreadable)
{
    MemoryHost host;
    host.directory("/etc").file("/etc/group", "");
    EXPECT_EQ(ask(kFileAccessPrimitive, host, shadow()), "pass");
    auto values = shadow();
    values.emplace("missing", "fail");
    EXPECT_EQ(ask(kFileAccessPrimitive, host, values), "fail");
    host.file("/etc/shadow", "").broken("/etc/shadow", Error{ErrorKind::Denied, EACCES, "no"});
    EXPECT_EQ(ask(kFileAccessPrimitive, host, shadow()), "error: no");
}

TEST(FileAccess, KeysAreToldByTheirContent)
{
    const Values keys{{"path", Names{"/etc/ssh/*"}}, {"content", "PRIVATE KEY-----"}, {"mode_max", "0600"}};
    MemoryHost host;
    host.file("/etc/ssh/odd_name", "-----BEGIN OPENSSH PRIVATE KEY-----\n", 0600)
        .file("/etc/ssh/sshd_config", "x\n", 0644);
    EXPECT_EQ(ask(kFileAccessPrimitive, host, keys), "pass");
    host.file("/etc/ssh/other", "-----BEGIN RSA PRIVATE KEY-----\n", 0644);
    EXPECT_EQ(ask(kFileAccessPrimitive, host, keys), "fail");
}

std::string lines(const std::string& text, const std::string& expect, Values more = {})
{
    MemoryHost host;
    host.file("/etc/x", text);
    Values values{{"path", Names{"/etc/x"}}, {"pattern", "^\\s*a\\b"}, {"expect", expect}};
    values.merge(more);
    return ask(kFileLinesPrimitive, host, values);
}

TEST(FileLines, PresentAndAbsent)
{
    EXPECT_EQ(lines("a b\n", "present"), "pass");
    EXPECT_EQ(lines("ab\n", "present"), "fail");
    EXPECT_EQ(lines("", "present"), "fail");
    EXPECT_EQ(lines("x\n a\r\n", "absent"), "fail");
    EXPECT_EQ(lines("# a\n", "absent"), "pass");
    EXPECT_EQ(lines("A\n", "present", {{"ignore_case", true}}), "pass");
    EXPECT_EQ(lines("a\n", "present", {{"comment", "a#"}}), "fail");
}

TEST(FileLines, MissingAndUnreadable)
{
    MemoryHost host;
    const Values values{{"path", Names{"/etc/x", "/etc/x.d/*"}}, {"pattern", "a"}, {"expect", "absent"}};
    EXPECT_EQ(ask(kFileLinesPrimitive, host, values), "fail");
    auto fine = values;
    fine.emplace("missing", "pass");
    EXPECT_EQ(ask(kFileLinesPrimitive, host, fine), "pass");
    host.file("/etc/x", "").broken("/etc/x", Error{ErrorKind::System, EIO, "disk"});
    EXPECT_EQ(ask(kFileLinesPrimitive, host, fine), "error: disk");
}

TEST(SweptFiles, WhatIsOpenToAll)
{
    const host::TempTree tree;
    tree.directory("etc");
    tree.write("etc/bad", "", 0666);
    tree.directory("run/user/1", 0777);
    const auto host = host::open_host(tree.root());
    const Values files{{"kind", "world-writable-files"}};
    EXPECT_EQ(ask(kSweptFilesPrimitive, **host, files), "fail");
    EXPECT_EQ(ask(kSweptFilesPrimitive, **host, {{"kind", "world-writable-files"}, {"except", Names{"/etc/b*"}}}),
              "pass");
    EXPECT_EQ(ask(kSweptFilesPrimitive, **host, {{"kind", "open-directories"}}), "fail");
    EXPECT_EQ(ask(kSweptFilesPrimitive, **host, {{"kind", "open-directories"}, {"except", Names{"/run/user/*"}}}),
              "pass");
    EXPECT_THAT(ask(kSweptFilesPrimitive, MemoryHost(), files), StartsWith("error"));
}

TEST(SweptFiles, OwnersAreHeldAgainstTheAccounts)
{
    const host::TempTree tree;
    const std::string uid = std::to_string(::getuid());
    tree.write("etc/passwd", "me:x:" + uid + ":0::/:/bin/sh\n");
    const auto host = host::open_host(tree.root());
    EXPECT_EQ(ask(kSweptFilesPrimitive, **host, {{"kind", "unowned"}}), "pass");
    tree.write("etc/passwd", "other:x:4000000:0::/:/bin/sh\n");
    EXPECT_EQ(ask(kSweptFilesPrimitive, **host, {{"kind", "unowned"}}), "fail");
    // Somebody else may know the owner: nobody can tell.
    tree.write("etc/nsswitch.conf", "passwd: files sss\n");
    EXPECT_EQ(ask(kSweptFilesPrimitive, **host, {{"kind", "unowned"}}), "cannot-tell");
}

MemoryHost with_home(std::uint32_t mode, std::uint32_t uid)
{
    MemoryHost host;
    host.file("/etc/passwd", "a:x:1000:1000::/home/a:/bin/bash\ns:x:5:5::/none:/usr/sbin/nologin\n");
    host.directory("/home/a", mode, uid, 1000);
    return host;
}

TEST(HomeFolders, OfThoseWhoCanLogIn)
{
    const Values values{{"mode_max", "0750"}};
    EXPECT_EQ(ask(kHomeFoldersPrimitive, with_home(0700, 1000), values), "pass");
    EXPECT_EQ(ask(kHomeFoldersPrimitive, with_home(0755, 1000), values), "fail");
    EXPECT_EQ(ask(kHomeFoldersPrimitive, with_home(0700, 0), values), "fail");
    MemoryHost none;
    none.file("/etc/passwd", "a:x:1000:1000::/home/a:\n");
    EXPECT_EQ(ask(kHomeFoldersPrimitive, none, values), "fail"); // no home; an empty shell is /bin/sh
    none.file("/etc/passwd", "a:x:1000:1000::/home/a:/bin/false\n");
    EXPECT_EQ(ask(kHomeFoldersPrimitive, none, values), "pass");
    EXPECT_THAT(ask(kHomeFoldersPrimitive, MemoryHost(), values), StartsWith("error: /etc/passwd is missing"));
}

std::string dots(const std::string& name, std::uint32_t mode, std::uint32_t uid = 1000)
{
    MemoryHost host = with_home(0700, 1000);
    host.file("/home/a/" + name, "", mode, uid, 1000);
    return ask(kDotFilesPrimitive, host,
               {{"mode_max", "0644"}, {"private", Names{".bash_history"}}, {"forbidden", Names{".rhosts"}}});
}

TEST(DotFiles, ModesOwnersAndNames)
{
    EXPECT_EQ(dots(".bashrc", 0644), "pass");
    EXPECT_EQ(dots(".bashrc", 0664), "fail");
    EXPECT_EQ(dots(".bashrc", 0644, 0), "fail");
    EXPECT_EQ(dots(".bash_history", 0644), "fail");
    EXPECT_EQ(dots(".bash_history", 0600), "pass");
    EXPECT_EQ(dots(".rhosts", 0600), "fail");
    EXPECT_EQ(dots("visible", 0777, 0), "pass");
}

std::string logs(const std::string& name, std::uint32_t mode, std::uint32_t uid = 0, std::uint32_t gid = 0)
{
    MemoryHost host;
    host.file("/etc/passwd", "root:x:0:0::/:\nsyslog:x:104:4::/:\n")
        .file("/etc/group", "root:x:0:\nadm:x:4:\nutmp:x:43:\n");
    host.file("/var/log/" + name, "", mode, uid, gid);
    return ask(kLogFilesPrimitive, host, {});
}

TEST(LogFiles, ByTheirName)
{
    EXPECT_EQ(logs("app/x.log", 0640, 104, 4), "pass");
    EXPECT_EQ(logs("app/x.log", 0644), "fail");
    EXPECT_EQ(logs("wtmp", 0664, 0, 43), "pass");
    EXPECT_EQ(logs("x.log", 0664, 0, 43), "fail");
    EXPECT_EQ(logs("x.log", 0600, 999, 0), "fail");
    EXPECT_EQ(logs("cloud-init.log", 0644, 104, 4), "pass");
}

} // namespace
} // namespace hostward::hardening
