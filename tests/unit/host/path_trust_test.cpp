// SPDX-License-Identifier: Apache-2.0
#include "agent/host/path_trust.h"

#include "tests/unit/host/temp_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hostward::host {
namespace {

using testing::HasSubstr;

struct stat facts(mode_t mode, uid_t uid, gid_t gid = 0)
{
    struct stat out = {};
    out.st_mode = mode;
    out.st_uid = uid;
    out.st_gid = gid;
    return out;
}

TEST(WhoCanReplace, DirectoryOwnerAndBits)
{
    const auto mine = facts(S_IFREG | 0755, 0);
    const auto in = [&](mode_t mode, uid_t uid, gid_t gid = 0) {
        return who_can_replace(facts(S_IFDIR | mode, uid, gid), &mine, 0);
    };
    EXPECT_EQ(in(0755, 0), "");
    EXPECT_EQ(in(0755, 1000), "belongs to uid 1000");
    EXPECT_EQ(in(01777, 1000), "belongs to uid 1000") << "the owner of a sticky directory may rename everything";
    EXPECT_EQ(in(0775, 0, 50), "is writable by group 50");
    EXPECT_EQ(in(0775, 0, 0), "is writable by group 0") << "members of group root are not root";
    EXPECT_EQ(in(0757, 0), "is writable by everybody");
    EXPECT_EQ(in(0777, 0), "is writable by everybody");
}

TEST(WhoCanReplace, StickyDirectories)
{
    const auto sticky = facts(S_IFDIR | 01777, 0);
    const auto mine = facts(S_IFREG | 0755, 0);
    const auto others = facts(S_IFREG | 0755, 1000);
    EXPECT_EQ(who_can_replace(sticky, &mine, 0), "");
    EXPECT_EQ(who_can_replace(sticky, &others, 0), "is writable by everybody");
    EXPECT_EQ(who_can_replace(sticky, nullptr, 0), "is writable by everybody") << "anybody can create it";
    EXPECT_EQ(who_can_replace(facts(S_IFDIR | 0755, 0), &others, 0), "") << "nobody else may rename here";
}

TEST(WhoCanWrite, FileOwnerAndBits)
{
    EXPECT_EQ(who_can_write(facts(S_IFREG | 04755, 0), 0), "");
    EXPECT_EQ(who_can_write(facts(S_IFREG | 0555, 33), 0), "belongs to uid 33") << "the owner can change the mode";
    EXPECT_EQ(who_can_write(facts(S_IFREG | 0775, 0, 4), 0), "is writable by group 4");
    EXPECT_EQ(who_can_write(facts(S_IFREG | 0757, 0), 0), "is writable by everybody");
}

/// Trees belong to whoever runs the test, so that it needs no root.
class PathTrustTree : public testing::Test {
protected:
    PathTrust trust(const std::string& path)
    {
        auto result = path_trust(tree_.root(), path, ::geteuid());
        EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().text);
        return result.ok() ? result.take() : PathTrust{};
    }
    TempTree tree_;
};

TEST_F(PathTrustTree, PlainFile)
{
    tree_.write("usr/bin/a", "x", 0755);
    const auto found = trust("/usr/bin/a");
    EXPECT_TRUE(found.exists);
    EXPECT_EQ(found.writable_by, "");
    struct stat by_fd = {};
    struct stat by_path = {};
    ASSERT_EQ(::fstat(found.file.get(), &by_fd), 0);
    ASSERT_EQ(::stat(tree_.path("usr/bin/a").c_str(), &by_path), 0);
    EXPECT_EQ(by_fd.st_ino, by_path.st_ino);
}

TEST_F(PathTrustTree, EveryDirectoryOnTheWayCounts)
{
    tree_.write("opt/vendor/bin/a", "x", 0755);
    for (const char* directory : {"opt", "opt/vendor", "opt/vendor/bin"}) {
        tree_.change_mode(directory, 0777);
        EXPECT_EQ(trust("/opt/vendor/bin/a").writable_by,
                  std::string("directory \"/") + directory + "\" is writable by everybody");
        tree_.change_mode(directory, 0755);
    }
    EXPECT_EQ(trust("/opt/vendor/bin/a").writable_by, "");
}

TEST_F(PathTrustTree, RootItselfCounts)
{
    tree_.write("a", "x", 0755);
    ASSERT_EQ(::chmod(tree_.root().c_str(), 0777), 0);
    EXPECT_EQ(trust("/a").writable_by, "directory \"/\" is writable by everybody");
}

TEST_F(PathTrustTree, FileItselfCounts)
{
    tree_.write("bin/a", "x", 0777);
    EXPECT_EQ(trust("/bin/a").writable_by, "file \"/bin/a\" is writable by everybody");
}

TEST_F(PathTrustTree, AnotherOwner)
{
    tree_.write("bin/a", "x", 0755);
    auto result = path_trust(tree_.root(), "/bin/a", ::geteuid() + 1);
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->writable_by, "directory \"/\" belongs to uid " + std::to_string(::geteuid()));
}

TEST_F(PathTrustTree, DirectoriesBehindLinksCount)
{
    tree_.write("store/a-1.0", "x", 0755);
    tree_.directory("etc/alternatives");
    tree_.link("/etc/alternatives/a", "bin/a");
    tree_.link("../../store/a-1.0", "etc/alternatives/a");
    EXPECT_EQ(trust("/bin/a").writable_by, "");
    tree_.change_mode("etc/alternatives", 0777);
    EXPECT_EQ(trust("/bin/a").writable_by, "directory \"/etc/alternatives\" is writable by everybody");
    tree_.change_mode("etc/alternatives", 0755);
    tree_.change_mode("store", 0777);
    EXPECT_EQ(trust("/bin/a").writable_by, "directory \"/store\" is writable by everybody");
}

TEST_F(PathTrustTree, LinkedDirectories)
{
    tree_.write("usr/bin/a", "x", 0755);
    tree_.link("usr/bin", "bin");
    EXPECT_TRUE(trust("/bin/a").exists);
    tree_.change_mode("usr", 0777);
    EXPECT_EQ(trust("/bin/a").writable_by, "directory \"/usr\" is writable by everybody");
}

TEST_F(PathTrustTree, LinksCannotLeaveTheRoot)
{
    tree_.write("etc/hosts", "x");
    tree_.link("../../../../../../etc/hosts", "a/b/up");
    const auto found = trust("/a/b/up");
    ASSERT_TRUE(found.exists);
    struct stat by_fd = {};
    struct stat inside = {};
    ASSERT_EQ(::fstat(found.file.get(), &by_fd), 0);
    ASSERT_EQ(::stat(tree_.path("etc/hosts").c_str(), &inside), 0);
    EXPECT_EQ(by_fd.st_ino, inside.st_ino);
    EXPECT_EQ(by_fd.st_dev, inside.st_dev);
}

TEST_F(PathTrustTree, MissingFileInATrustedPlace)
{
    tree_.directory("usr/bin");
    for (const char* path : {"/usr/bin/none", "/usr/none/a", "/none/a/b"}) {
        const auto found = trust(path);
        EXPECT_FALSE(found.exists) << path;
        EXPECT_EQ(found.writable_by, "") << path;
        EXPECT_FALSE(found.file.valid());
    }
}

TEST_F(PathTrustTree, MissingFileThatAnybodyCanCreate)
{
    tree_.directory("tmp", 01777);
    EXPECT_EQ(trust("/tmp/a").writable_by, "directory \"/tmp\" is writable by everybody");
    EXPECT_EQ(trust("/tmp/a/b/c").writable_by, "directory \"/tmp\" is writable by everybody");
    tree_.link("/tmp/a", "bin/a");
    EXPECT_EQ(trust("/bin/a").writable_by, "directory \"/tmp\" is writable by everybody");
}

TEST_F(PathTrustTree, PathThroughAFile)
{
    tree_.write("bin/a", "x", 0755);
    EXPECT_FALSE(trust("/bin/a/b").exists);
}

TEST_F(PathTrustTree, LinksThatNeverEnd)
{
    tree_.link("b", "a");
    tree_.link("a", "b");
    const auto result = path_trust(tree_.root(), "/a", ::geteuid());
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().error_number, ELOOP);
}

TEST_F(PathTrustTree, OnlyRegularFiles)
{
    tree_.directory("bin");
    ASSERT_EQ(::mkfifo(tree_.path("bin/fifo").c_str(), 0644), 0);
    for (const char* path : {"/bin", "/bin/fifo", "/"}) {
        const auto result = path_trust(tree_.root(), path, ::geteuid());
        ASSERT_FALSE(result.ok()) << path;
        EXPECT_THAT(result.error().text, HasSubstr("is not a regular file"));
    }
}

TEST_F(PathTrustTree, NoSuchRoot) { EXPECT_FALSE(path_trust(tree_.root() + "/none", "/a").ok()); }

TEST_F(PathTrustTree, OverlongNameDoesNotExist) { EXPECT_FALSE(trust("/" + std::string(300, 'n')).exists); }

TEST(PathTrust, ProgramsOfThisMachineAreRoots)
{
    const auto result = path_trust("/", "/bin/sh");
    ASSERT_TRUE(result.ok()) << result.error().text;
    EXPECT_TRUE(result->exists);
    EXPECT_EQ(result->writable_by, "");
}

} // namespace
} // namespace hostward::host
