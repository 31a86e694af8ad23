// SPDX-License-Identifier: Apache-2.0
// Runs a program on a host that lacks something: doctor_scene WORD... -- PROGRAM ARGUMENT...
// Mounts are changed in a mount namespace of its own; capabilities and limits are this process's.
//   no-btf, no-cgroup2, unified, hybrid
//   no-bpffs FOLDER           another file system over it
//   security LSM LOCKDOWN     what /sys/kernel/security says; "-" for LOCKDOWN: no such file
//   drop NUMBER               without that capability, for good
//   memlock BYTES
#include "agent/base/text.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace {

constexpr auto kCgroup = "/sys/fs/cgroup";
constexpr int kCannot = 125;

using Words = std::vector<std::string>;

bool mount_here(const char* type, const std::string& place, const char* options = nullptr)
{
    return mount(type, place.c_str(), type, 0, options) == 0;
}

/// Every cgroup mount goes, hidden ones included: they stay in mountinfo otherwise.
bool drop_cgroups()
{
    Words places;
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
        if (line.find(" - cgroup") != std::string::npos ||
            line.find(std::string(" ") + kCgroup + " ") != std::string::npos) {
            places.emplace_back(hostward::split(line, ' ').at(4));
        }
    }
    for (const auto& place : places) {
        if (umount2(place.c_str(), MNT_DETACH) != 0 && errno != EINVAL && errno != ENOENT) {
            return false; // EINVAL, ENOENT: gone with the mount above it
        }
    }
    return true;
}

bool make_hybrid()
{
    const std::string unified = std::string(kCgroup) + "/unified";
    const std::string legacy = std::string(kCgroup) + "/doctor";
    return drop_cgroups() && mount_here("tmpfs", kCgroup) && mkdir(unified.c_str(), 0755) == 0 &&
           mkdir(legacy.c_str(), 0755) == 0 && mount_here("cgroup2", unified) &&
           mount_here("cgroup", legacy, "none,name=hwdoctor");
}

bool write_security(const std::string& modules, const std::string& lockdown)
{
    const std::string place = "/sys/kernel/security";
    if (!mount_here("tmpfs", place)) {
        return false;
    }
    std::ofstream(place + "/lsm") << modules;
    if (lockdown != "-") {
        std::ofstream(place + "/lockdown") << lockdown << "\n";
    }
    return true;
}

bool drop_capability(unsigned number)
{
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> sets{};
    if (syscall(SYS_capget, &header, sets.data()) != 0 || prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0) {
        return false;
    }
    auto& set = sets.at(number / 32);
    const std::uint32_t bit = 1U << (number % 32);
    set.effective &= ~bit;
    set.permitted &= ~bit;
    set.inheritable &= ~bit;
    return syscall(SYS_capset, &header, sets.data()) == 0;
}

bool limit_memlock(std::uint64_t bytes)
{
    const rlimit limit{bytes, bytes};
    return setrlimit(RLIMIT_MEMLOCK, &limit) == 0;
}

/// What a word does, and how many words it takes after itself.
struct Scene {
    std::size_t arguments;
    std::function<bool(const Words&)> play;
};

const std::map<std::string, Scene>& scenes()
{
    static const std::map<std::string, Scene> known{
        {"no-btf", {0, [](const Words&) { return mount_here("tmpfs", "/sys/kernel/btf"); }}},
        {"no-cgroup2", {0, [](const Words&) { return drop_cgroups(); }}},
        {"unified", {0, [](const Words&) { return drop_cgroups() && mount_here("cgroup2", kCgroup); }}},
        {"hybrid", {0, [](const Words&) { return make_hybrid(); }}},
        {"no-bpffs", {1, [](const Words& words) { return mount_here("tmpfs", words[0]); }}},
        {"security", {2, [](const Words& words) { return write_security(words[0], words[1]); }}},
        {"drop",
         {1, [](const Words& words) { return drop_capability(hostward::parse_number<unsigned>(words[0]).value()); }}},
        {"memlock",
         {1,
          [](const Words& words) { return limit_memlock(hostward::parse_number<std::uint64_t>(words[0]).value()); }}},
    };
    return known;
}

int complain(const std::string& what)
{
    (void)std::fprintf(stderr, "doctor_scene: %s: %s\n", what.c_str(), std::strerror(errno));
    return kCannot;
}

} // namespace

int main(int argc, char** argv)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
        return complain("a mount namespace");
    }
    int at = 1;
    while (at < argc && std::string(argv[at]) != "--") {
        const std::string word = argv[at++];
        const auto scene = scenes().find(word);
        if (scene == scenes().end() || at + static_cast<int>(scene->second.arguments) > argc) {
            errno = EINVAL;
            return complain(word);
        }
        const Words words(argv + at, argv + at + scene->second.arguments);
        at += static_cast<int>(scene->second.arguments);
        if (!scene->second.play(words)) {
            return complain(word);
        }
    }
    if (at + 1 >= argc) {
        errno = EINVAL;
        return complain("no program");
    }
    (void)execv(argv[at + 1], argv + at + 1); // returns only when it fails
    return complain(argv[at + 1]);
}
