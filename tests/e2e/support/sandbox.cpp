// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/sandbox.h"

#include "agent/base/text.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace hostward::e2e {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCgroupPrefix = "hwe2e.";
constexpr int kRemovalAttempts = 100;
constexpr int kRemovalPauseUs = 10'000;

Status mount_here(const char* type, const char* target, const char* options)
{
    std::error_code status;
    fs::create_directories(target, status);
    if (status) {
        return system_error(status.value(), target);
    }
    if (mount(type, target, type, 0, options) != 0) {
        return system_error(errno, std::string("mount ") + type + " on " + target);
    }
    return success();
}

Status make_folder(const char* path, mode_t mode)
{
    if (mkdir(path, mode) != 0 || chmod(path, mode) != 0) {
        return system_error(errno, path);
    }
    return success();
}

Status copy_programs()
{
    for (const auto& entry : fs::directory_iterator(surroundings().attacks)) {
        if (!entry.is_regular_file()) {
            continue;
        }
        std::error_code status;
        const fs::path target = fs::path(kPrograms) / entry.path().filename();
        fs::copy_file(entry.path(), target, fs::copy_options::overwrite_existing, status);
        if (status || chmod(target.c_str(), 0755) != 0) {
            return system_error(status ? status.value() : errno, target.string());
        }
    }
    return success();
}

Result<std::string> find_cgroup2()
{
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
        if (line.find(" - cgroup2 ") != std::string::npos) {
            return std::string(split(line, ' ').at(4));
        }
    }
    return Error{ErrorKind::Unsupported, 0, "no cgroup2 file system is mounted"};
}

/// Kills what is left in the cgroup and below, then removes it from the leaves up.
void remove_cgroup(const fs::path& folder)
{
    std::error_code status;
    for (const auto& entry : fs::directory_iterator(folder, status)) {
        if (entry.is_directory(status)) {
            remove_cgroup(entry.path());
        }
    }
    for (int attempt = 0; attempt < kRemovalAttempts; ++attempt) {
        std::ifstream procs(folder / "cgroup.procs");
        for (pid_t pid = 0; procs >> pid;) {
            if (pid > 0) {
                (void)kill(pid, SIGKILL);
            }
        }
        if (rmdir(folder.c_str()) == 0 || errno == ENOENT) {
            return;
        }
        (void)usleep(kRemovalPauseUs);
    }
}

/// Cgroups of test processes that died before they could remove them.
void remove_leftovers(const std::string& root)
{
    std::error_code status;
    for (const auto& entry : fs::directory_iterator(root, status)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(kCgroupPrefix)) {
            continue;
        }
        const auto pid = parse_number<pid_t>(split(name, '.').at(1));
        if (pid && kill(*pid, 0) != 0 && errno == ESRCH) {
            remove_cgroup(entry.path());
        }
    }
}

Surroundings read_surroundings()
{
    Surroundings found;
    std::error_code status;
    const fs::path self = fs::read_symlink("/proc/self/exe", status).parent_path();
    const char* program = std::getenv("HOSTWARD_BIN");
    const char* vm = std::getenv("HOSTWARD_VM");
    found.hostward = program != nullptr ? program : (self / "../../hostward").lexically_normal().string();
    found.attacks = (self / "../attacks").lexically_normal().string();
    found.is_vm = vm != nullptr && std::string_view(vm) == "1";
    return found;
}

Status fill_sandbox()
{
    if (unshare(CLONE_NEWNS) != 0) {
        return system_error(errno, "unshare(CLONE_NEWNS)");
    }
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
        return system_error(errno, "mount(MS_PRIVATE)");
    }
    TRY(mount_here("tmpfs", kSandbox, "mode=0755"));
    TRY(make_folder(kPrograms, 0755));
    TRY(make_folder(kScratch, 0777));
    TRY(make_folder(kRunDir, 0755));
    TRY(mount_here("bpf", kBpf, "mode=0700"));
    return copy_programs();
}

} // namespace

const Surroundings& surroundings()
{
    static const Surroundings found = read_surroundings();
    return found;
}

std::string attack_path(std::string_view name) { return std::string(kPrograms) + "/" + std::string(name); }

Status enter_sandbox()
{
    static const Status entered = fill_sandbox();
    return entered;
}

Result<CgroupTree> CgroupTree::create()
{
    static std::atomic<int> sequence = 0;
    TRY_ASSIGN(const std::string root, find_cgroup2());
    remove_leftovers(root);
    const std::string path =
        root + "/" + std::string(kCgroupPrefix) + std::to_string(getpid()) + "." + std::to_string(++sequence);
    if (mkdir(path.c_str(), 0755) != 0) {
        return system_error(errno, "make the cgroup " + path);
    }
    return CgroupTree(path);
}

CgroupTree::CgroupTree(CgroupTree&& other) noexcept : path_(std::exchange(other.path_, {})) {}

CgroupTree::~CgroupTree()
{
    if (!path_.empty()) {
        remove_cgroup(path_);
    }
}

Result<std::string> CgroupTree::make(const std::string& below) const
{
    const std::string folder = path_ + "/" + below;
    std::error_code status;
    fs::create_directories(folder, status);
    if (status) {
        return system_error(status.value(), "make the cgroup " + folder);
    }
    return folder;
}

} // namespace hostward::e2e
