// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/sweep.h"

#include "tests/unit/hardening/support/memory_host.h"
#include "tests/unit/host/temp_tree.h"

#include <gmock/gmock.h>

#include <fcntl.h>
#include <sys/stat.h>

namespace hostward::hardening {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> paths(const SweptFiles& files)
{
    std::vector<std::string> names;
    for (const auto& file : files.kept) {
        names.push_back(file.path);
    }
    return names;
}

std::vector<std::string> points(const std::vector<SweepMount>& mounts)
{
    std::vector<std::string> names;
    for (const auto& mount : mounts) {
        names.push_back(mount.point);
    }
    return names;
}

void set_mode(const host::TempTree& tree, const std::string& path, mode_t mode)
{
    ASSERT_EQ(::chmod((tree.root() + "/" + path).c_str(), mode), 0);
}

Result<Sweep> sweep_tree(const host::TempTree& tree, const SweepLimits& limits = {})
{
    const auto host = host::open_host(tree.root());
    EXPECT_TRUE(host);
    return sweep(**host, SweepPlan{}, limits);
}

TEST(Sweep, FindsWhatIsOpenToAll)
{
    const host::TempTree tree;
    tree.write("etc/good", "");
    tree.write("etc/bad", "");
    set_mode(tree, "etc/bad", 0666);
    tree.directory("tmp");
    set_mode(tree, "tmp", 01777);
    tree.directory("open/inner");
    set_mode(tree, "open", 0777);
    tree.write("bin/su", "");
    set_mode(tree, "bin/su", 04755);
    tree.write("bin/sg", "");
    set_mode(tree, "bin/sg", 02755);
    tree.link("/etc/bad", "link"); // modes of links mean nothing
    const auto found = sweep_tree(tree);
    ASSERT_TRUE(found) << found.error().text;
    EXPECT_THAT(paths(found->world_writable_files), ElementsAre("/etc/bad"));
    EXPECT_THAT(paths(found->open_directories), ElementsAre("/open"));
    EXPECT_THAT(paths(found->set_id_files), ElementsAre("/bin/sg", "/bin/su"));
    EXPECT_EQ(found->set_id_files.kept[1].mode, 04755U);
    EXPECT_THAT(found->partial, IsEmpty());
    EXPECT_EQ(found->by_uid.size(), 1U);
    EXPECT_EQ(found->by_uid.begin()->second.count, 10U); // root, etc, 2, tmp, open, inner, bin, 2
}

TEST(Sweep, OneThreadSeesTheSame)
{
    const host::TempTree tree;
    for (int i = 0; i < 200; ++i) {
        const std::string path = "d" + std::to_string(i % 17) + "/e" + std::to_string(i % 5) + "/f" + std::to_string(i);
        tree.write(path, "");
        set_mode(tree, path, i % 3 == 0 ? 0666 : 0644);
    }
    SweepLimits one;
    one.threads = 1;
    SweepLimits four;
    four.threads = 4;
    const auto a = sweep_tree(tree, one);
    const auto b = sweep_tree(tree, four);
    ASSERT_TRUE(a && b);
    EXPECT_EQ(a->entries, b->entries);
    EXPECT_EQ(paths(a->world_writable_files), paths(b->world_writable_files));
    EXPECT_EQ(a->world_writable_files.count, 67U);
}

TEST(Sweep, ContainersHaveOwnersOfTheirOwn)
{
    const host::TempTree tree;
    tree.write("var/lib/docker/overlay2/x/diff/etc/shadow", "");
    set_mode(tree, "var/lib/docker/overlay2/x/diff/etc/shadow", 0666);
    const auto found = sweep_tree(tree);
    ASSERT_TRUE(found);
    ASSERT_EQ(found->world_writable_files.kept.size(), 1U);
    EXPECT_TRUE(found->world_writable_files.kept[0].is_in_container_store);
    EXPECT_EQ(found->by_uid.begin()->second.count, 4U); // root, var, lib, docker: the folder itself is the host's
}

TEST(Sweep, ABudgetThatEndsIsSaid)
{
    const host::TempTree tree;
    for (int i = 0; i < 50; ++i) {
        tree.write("d" + std::to_string(i) + "/f", "");
    }
    SweepLimits limits;
    limits.entries_max = 10;
    const auto found = sweep_tree(tree, limits);
    ASSERT_TRUE(found);
    EXPECT_THAT(found->partial, ElementsAre(HasSubstr("ended after")));
}

TEST(Sweep, ADeepTreeIsPartialNotACrash)
{
    const host::TempTree tree;
    UniqueFd here(::open(tree.root().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    for (int i = 0; i < 600; ++i) {
        ASSERT_EQ(::mkdirat(here.get(), "d", 0755), 0);
        here.reset(::openat(here.get(), "d", O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
    const auto found = sweep_tree(tree);
    ASSERT_TRUE(found);
    EXPECT_THAT(found->partial, ElementsAre(HasSubstr("deeper than 400")));
}

TEST(Sweep, AHostThatCannotBeWalkedIsAnError)
{
    host::MemoryHost host;
    host.image();
    Facts facts(host, 0);
    EXPECT_EQ(facts.get<Sweep>().error().kind, ErrorKind::Unsupported);
    host::MemoryHost running;
    running.file("/proc/self/mountinfo", "");
    Facts live(running, 0);
    EXPECT_FALSE(live.get<Sweep>());
}

TEST(Sweep, WhatMustNotBeWalkedIsAnError)
{
    const host::TempTree tree;
    const auto host = host::open_host(tree.root());
    Facts forbidden(**host, 0, false);
    EXPECT_EQ(forbidden.get<Sweep>().error().kind, ErrorKind::Unsupported);
    Facts allowed(**host, 0);
    EXPECT_TRUE(allowed.get<Sweep>());
}

TEST(SweepPlan, EachLocalFileSystemOnce)
{
    const auto plan = plan_sweep("20 1 259:1 / / rw - ext4 /dev/root rw\n"
                                 "21 20 0:5 / /proc rw shared:1 - proc proc rw\n"
                                 "22 20 0:24 / /dev/shm rw - tmpfs tmpfs rw\n"
                                 "23 20 259:1 /srv /mnt/again rw - ext4 /dev/root rw\n"
                                 "24 20 0:30 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw\n"
                                 "25 20 0:31 / /net rw - nfs4 host:/x rw\n"
                                 "26 20 259:2 / /with\\040blank rw - xfs /dev/b rw\n"
                                 "27 20 0:32 / /snap/core/1 ro - squashfs /dev/loop0 ro\n"
                                 "28 20 0:33 / /home/me/remote rw - fuse.sshfs x rw\n"
                                 "nonsense\n29 20 x:y / /z rw - ext4 d rw\n");
    EXPECT_THAT(points(plan.walk), ElementsAre("/", "/dev/shm", "/with blank"));
    EXPECT_THAT(points(plan.skipped), ElementsAre("/proc", "/var/lib/docker/overlay2/x/merged", "/net", "/snap/core/1",
                                                  "/home/me/remote", "/mnt/again"));
}

TEST(SweepPlan, AChrootWithoutAMountAtItsRoot)
{
    const auto plan = plan_sweep("20 1 0:5 / /proc rw shared:1 - proc proc rw\n"
                                 "21 1 0:24 / /dev rw - tmpfs tmpfs rw\n");
    EXPECT_THAT(points(plan.walk), ElementsAre("/", "/dev"));
    EXPECT_THAT(points(plan_sweep("").walk), IsEmpty()); // nothing is known of such a host
    EXPECT_THAT(points(plan_sweep("1 0 0:1 / / rw - 9p host rw\n").walk), IsEmpty());
}

TEST(Sweep, AChrootIsSweptFromItsRoot)
{
    const host::TempTree tree;
    tree.write("bin/su", "");
    set_mode(tree, "bin/su", 04755);
    const auto host = host::open_host(tree.root());
    ASSERT_TRUE(host);
    const auto found = sweep(**host, plan_sweep("21 1 0:24 / /nowhere rw - tmpfs tmpfs rw\n"), SweepLimits{});
    ASSERT_TRUE(found);
    EXPECT_THAT(paths(found->set_id_files), ElementsAre("/bin/su"));
    EXPECT_THAT(found->partial, ElementsAre(HasSubstr("/nowhere")));
}

TEST(Sweep, AFileThatIsAMountIsLookedAt)
{
    const host::TempTree tree;
    tree.write("etc/hosts", "");
    set_mode(tree, "etc/hosts", 0666);
    const auto host = host::open_host(tree.root());
    ASSERT_TRUE(host);
    SweepPlan plan;
    plan.walk.push_back({1, "/etc/hosts", "/a/b", "ext4", 0});
    const auto found = sweep(**host, plan, SweepLimits{});
    ASSERT_TRUE(found);
    EXPECT_THAT(paths(found->world_writable_files), ElementsAre("/etc/hosts"));
    EXPECT_THAT(found->partial, IsEmpty());
}

TEST(SweepPlan, TheWidestViewOfAFileSystem)
{
    const auto plan = plan_sweep("1 0 0:40 / / rw - overlay overlay rw\n"
                                 "2 1 8:1 /a/b /etc/hosts rw - ext4 d rw\n"
                                 "3 1 8:1 /a /mnt rw - ext4 d rw\n"
                                 "4 1 8:1 /ab /other rw - ext4 d rw\n");
    EXPECT_THAT(points(plan.walk), ElementsAre("/", "/mnt", "/other"));
    EXPECT_THAT(points(plan.skipped), ElementsAre("/etc/hosts"));
}

} // namespace
} // namespace hostward::hardening
