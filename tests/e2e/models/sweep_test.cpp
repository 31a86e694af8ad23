// SPDX-License-Identifier: Apache-2.0
// The sweep against find on random trees with hostile names, owners and modes.
#include "hardening/models/sweep.h"

#include "agent/base/text.h"
#include "tests/e2e/models/oracle.h"
#include "tests/unit/host/temp_tree.h"

#include <sys/stat.h>

#include <filesystem>

namespace hostward::hardening {
namespace {

using oracle::Random;

constexpr std::array<mode_t, 12> kModes{0644, 0755, 0600, 0666, 0777, 01777, 0646, 04755, 02755, 06755, 04644, 01666};
constexpr std::array kParts{"a", "b", ".c", " d", "e\nf", "\xff\xfe", "-g", "'h\"", "$(i)", "long-name-of-something"};

void fill(const host::TempTree& tree, Random& random)
{
    std::vector<std::string> folders{"."};
    const bool is_root = ::geteuid() == 0;
    for (int i = 0; i < 60; ++i) {
        const std::string path = random.pick(folders) + "/" + random.pick(kParts) + std::to_string(i);
        const mode_t mode = random.pick(kModes);
        switch (random.below(5)) {
        case 0:
        case 1:
            std::filesystem::create_directory(tree.path(path));
            folders.push_back(path);
            break;
        case 2: std::filesystem::create_symlink(random.pick(kParts), tree.path(path)); continue;
        case 3: ASSERT_EQ(::mkfifo(tree.path(path).c_str(), 0666), 0); continue;
        default: tree.write(path, ""); break;
        }
        if (is_root) {
            ASSERT_EQ(::chown(tree.path(path).c_str(), static_cast<uid_t>(random.below(4) * 1000),
                              static_cast<gid_t>(random.below(4) * 1000)),
                      0);
        }
        // Without root a folder that is closed to oneself could not be looked into.
        tree.change_mode(path, is_root ? mode : mode | 0700U);
    }
}

std::set<std::string> find(const host::TempTree& tree, std::vector<std::string> tests)
{
    tests.insert(tests.begin(), {"/usr/bin/find", tree.root()});
    tests.insert(tests.end(), {"-printf", "/%P\\0"});
    const auto answer = oracle::run(tests);
    EXPECT_EQ(answer.err, "");
    const auto parts = split(answer.out, '\0');
    return {parts.begin(), parts.end() - 1};
}

std::set<std::string> paths(const SweptFiles& files)
{
    std::set<std::string> names;
    for (const auto& file : files.kept) {
        names.insert(file.path);
    }
    return names;
}

TEST(SweepAgainstFind, RandomTrees)
{
    Random random;
    for (int round = 0; round < oracle::rounds(); ++round) {
        const host::TempTree tree;
        fill(tree, random);
        const auto host = host::open_host(tree.root());
        SweepLimits limits;
        limits.threads = static_cast<unsigned>(1 + random.below(3));
        const auto found = sweep(**host, SweepPlan{}, limits);
        ASSERT_TRUE(found) << found.error().text;
        ASSERT_TRUE(found->partial.empty()) << found->partial.front();
        ASSERT_EQ(paths(found->world_writable_files), find(tree, {"-type", "f", "-perm", "-0002"})) << random.text();
        ASSERT_EQ(paths(found->open_directories), find(tree, {"-type", "d", "-perm", "-0002", "!", "-perm", "-1000"}))
            << random.text();
        ASSERT_EQ(paths(found->set_id_files), find(tree, {"-type", "f", "-perm", "/6000"})) << random.text();
        const auto number = static_cast<std::uint32_t>(random.below(4) * 1000);
        const std::string id = std::to_string(number);
        const auto owned = found->by_uid.find(number);
        ASSERT_EQ(owned == found->by_uid.end() ? 0 : owned->second.count,
                  find(tree, {"(", "-type", "f", "-o", "-type", "d", ")", "-uid", id}).size())
            << random.text();
        const auto grouped = found->by_gid.find(number);
        ASSERT_EQ(grouped == found->by_gid.end() ? 0 : grouped->second.count,
                  find(tree, {"(", "-type", "f", "-o", "-type", "d", ")", "-gid", id}).size())
            << random.text();
        ASSERT_EQ(found->entries, find(tree, {}).size()) << random.text();
    }
}

} // namespace
} // namespace hostward::hardening
